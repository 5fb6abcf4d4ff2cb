// What visitors, customers and the shop's people ask of Vendure: GraphQL, as its storefronts and its admin do.

"use strict";

const PASSWORD = "of a scratch server";

const VARIANT = "id name sku priceWithTax currencyCode stockLevel options { name group { name } } featuredAsset { preview }";
const CARD = `id name slug description featuredAsset { preview } variants { ${VARIANT} }`;
const LINES = "lines { id quantity linePriceWithTax productVariant { id name sku product { name slug } options { name } } }";
const ORDER = `id code state totalWithTax ${LINES} shippingLines { shippingMethod { name } priceWithTax } payments { method amount state } discounts { description }`;

const SHOP = {
  productCards: [`query($s: Int) { products(options: {skip: $s, take: 12}) { totalItems items { ${CARD} } } }`, [{ s: 0 }, { s: 12 }, { s: 24 }, { s: 36 }]],
  productNames: ["{ products(options: {take: 40}) { items { id name slug } } }", [{}]],
  productFacets: ["query($s: Int) { products(options: {skip: $s, take: 10}) { items { name facetValues { name facet { name } } collections { name slug } optionGroups { name options { name } } } } }", [{ s: 0 }, { s: 10 }, { s: 20 }]],
  product: [`query($slug: String) { product(slug: $slug) { ${CARD} facetValues { name facet { name } } collections { name breadcrumbs { name } } optionGroups { name options { name } } } }`, [1, 7, 13, 22, 31, 40].map((n) => ({ slug: `product-${n}` }))],
  menu: ["{ collections(options: {topLevelOnly: true}) { items { id name slug children { id name slug } } } }", [{}, {}]],
  collections: ["{ collections { items { id name parent { name } breadcrumbs { name } productVariants(options: {take: 3}) { items { name priceWithTax } } } } }", [{}]],
  collection: [`query($slug: String) { collection(slug: $slug) { name breadcrumbs { name } children { name } productVariants(options: {take: 20}) { totalItems items { ${VARIANT} product { name slug } } } } }`, ["lamps", "chairs", "rugs", "beds"].map((slug) => ({ slug }))],
  search: ["query($i: SearchInput!) { search(input: $i) { totalItems items { productName slug priceWithTax { ... on SinglePrice { value } ... on PriceRange { min max } } } facetValues { count facetValue { name facet { name } } } collections { count collection { name } } } }", ["", "Product 1", "red", "lamp"].map((term) => ({ i: { term, take: 20, groupByProduct: true } }))],
  facets: ["{ facets { items { name values { name } } } }", [{}]],
  countries: ["{ availableCountries { code name } }", [{}]],
};

const MINE = {
  me: ["{ activeCustomer { firstName addresses { streetLine1 country { name } } } }", [{}]],
  orders: [`{ activeCustomer { orders(options: {take: 10}) { totalItems items { ${ORDER} } } } }`, [{}, {}]],
  add: ["mutation($v: ID!) { addItemToOrder(productVariantId: $v, quantity: 1) { __typename ... on Order { id totalWithTax lines { productVariant { name } } } } }", [3, 30, 60, 90, 120, 140].map((v) => ({ v }))],
  cart: [`{ activeOrder { ${ORDER} } }`, [{}, {}]],
  address: ['mutation { setOrderShippingAddress(input: {fullName: "A", streetLine1: "1 Street", city: "Town", postalCode: "1", countryCode: "DE"}) { __typename } }', [{}]],
  methods: ["{ eligibleShippingMethods { id name priceWithTax } }", [{}]],
  method: ["mutation { setOrderShippingMethod(shippingMethodId: [2]) { __typename ... on Order { totalWithTax } } }", [{}]],
  ready: ['mutation { transitionOrderToState(state: "ArrangingPayment") { __typename } }', [{}]],
  pay: [`mutation { addPaymentToOrder(input: {method: "dummy", metadata: {}}) { __typename ... on Order { ${ORDER} } } }`, [{}]],
};

const ADMIN = {
  products: ["query($s: Int) { products(options: {skip: $s, take: 20}) { totalItems items { id name enabled variantList(options: {take: 1}) { totalItems } featuredAsset { preview } channels { code } } } }", [{ s: 0 }, { s: 20 }]],
  productDetail: [`query($id: ID!) { product(id: $id) { id name translations { languageCode name } variants { id name sku price prices { price currencyCode } stockLevels { stockOnHand stockLocation { name } } taxCategory { name } taxRateApplied { name value } facetValues { name facet { name } } options { name group { name } } } facetValues { name facet { name } } collections { name } } }`, [2, 9, 17, 33].map((id) => ({ id }))],
  variants: ["query($s: Int) { productVariants(options: {skip: $s, take: 25}) { items { id name sku price product { name } prices { price } stockLevels { stockOnHand stockLocation { name } } facetValues { name } } } }", [{ s: 0 }, { s: 25 }, { s: 50 }]],
  orders: ["query($s: Int) { orders(options: {skip: $s, take: 15, sort: {orderPlacedAt: DESC}}) { totalItems items { id code state totalWithTax customer { firstName emailAddress } shippingLines { shippingMethod { name } } payments { method state } fulfillments { state } } } }", [{ s: 0 }, { s: 15 }]],
  orderDetail: [`query($id: ID!) { order(id: $id) { ${ORDER} customer { firstName addresses { city country { name } } } fulfillments { id state } history { items { type createdAt administrator { firstName } } } modifications { id } } }`, [1, 5, 9, 14].map((id) => ({ id }))],
  customers: ["{ customers(options: {take: 12}) { items { id firstName emailAddress user { identifier verified } groups { name } addresses { city country { name } } orders(options: {take: 2}) { totalItems items { code totalWithTax } } } } }", [{}, {}]],
  customerDetail: ["query($id: ID!) { customer(id: $id) { firstName addresses { city country { name } } orders(options: {take: 10}) { items { code state lines { productVariant { name } } } } history { items { type } } } }", [1, 2, 3].map((id) => ({ id }))],
  collections: ["{ collections(options: {take: 20}) { items { id name slug parent { name } breadcrumbs { name } children { name } filters { code } productVariants { totalItems } } } }", [{}]],
  facets: ["{ facets { items { id name valueList(options: {take: 10}) { items { name } } values { name } } } }", [{}]],
  staff: ["{ administrators { items { firstName user { roles { code channels { code } } } } } roles { items { code channels { code } } } }", [{}]],
  taxes: ["{ taxRates { items { name value category { name } zone { name members { name } } } } zones { items { name members { name code } } } }", [{}]],
  settings: ["{ channels { items { code defaultTaxZone { name } defaultShippingZone { name } } } shippingMethods { items { name translations { name } } } paymentMethods { items { name } } stockLocations { items { name } } }", [{}]],
  rename: ["mutation($id: ID!, $n: String!) { updateProduct(input: {id: $id, translations: [{languageCode: en, name: $n}]}) { id name variants { name } } }", [4, 8].map((id) => ({ id, n: `Renamed ${id}` }))],
  prices: ["mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id price stockOnHand } }", [[1, 2, 3, 4, 5, 6, 7, 8], [40, 41, 42, 43, 44, 45]].map((ids) => ({ i: ids.map((id) => ({ id, price: 1000 + id, stockOnHand: 500 })) }))],
  tagAll: ["mutation($i: [UpdateProductInput!]!) { updateProducts(input: $i) { id facetValues { name } } }", [{ i: [10, 11, 12, 13, 14, 15].map((id) => ({ id, facetValueIds: [1, 2] })) }]],
  fulfil: ["mutation($i: FulfillOrderInput!) { addFulfillmentToOrder(input: $i) { __typename ... on ErrorResult { message } } }", [1, 2].map((line) => ({ i: { lines: [{ orderLineId: line, quantity: 1 }], handler: { code: "manual-fulfillment", arguments: [{ name: "method", value: "post" }] } } }))],
  note: ['mutation($id: ID!) { addNoteToOrder(input: {id: $id, note: "seen", isPublic: false}) { id history { items { type } } } }', [3, 6].map((id) => ({ id }))],
  deleteMany: ["mutation($ids: [ID!]!) { deleteProducts(ids: $ids) { result } }", [{ ids: [41, 42, 43, 44, 45, 46] }]],
  group: ["mutation($ids: [ID!]) { createCustomerGroup(input: {name: \"Regulars\", customerIds: $ids}) { id customers { items { firstName } } } }", [{ ids: [1, 2, 3, 4, 5, 6] }]],
};

// A request as the driver sends it: one route for each operation.
function graphql(api, name, query, variables = {}, who = "") {
  return { path: `/${api}-api`, route: `/${api}-api#${name}`, method: "post", json: { query, variables }, who };
}

function* operations(api, table, who) {
  for (const [name, [query, uses]] of Object.entries(table)) {
    for (const variables of uses) yield graphql(api, name, query, variables, who);
  }
}

// Requests in the order in which they are sent: visitors, customers and administrators in turn.
function plan() {
  const customers = [0, 3, 5].flatMap((n) => [...operations("shop", MINE, `c${n}@example.org`)]);
  const shop = [...operations("shop", SHOP, ""), ...operations("shop", SHOP, "c7@example.org")];
  const admin = [...operations("admin", ADMIN, "superadmin")];
  const queues = [shop, customers, admin];
  const planned = [];
  while (queues.some((queue) => queue.length)) {
    for (const queue of queues) planned.push(...queue.splice(0, 1));
  }
  return planned;
}

// Log a client in; visitors without a name stay as they are.
async function login(client, who) {
  const api = who === "superadmin" ? "admin" : "shop";
  const password = api === "admin" ? who : PASSWORD;
  const query = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }";
  await client.send(graphql(api, "login", query, { u: who, p: password }));
}

module.exports = { PASSWORD, graphql, login, plan };
