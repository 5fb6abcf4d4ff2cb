// A shop for the test bed: products with variants in collections, customers, and orders that were paid.

"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const settings = require("./settings.cjs");
const { PASSWORD, graphql } = require("./requests.cjs");

const KINDS = ["Lamps", "Chairs", "Tables", "Rugs", "Shelves", "Beds"];
const MAKERS = ["Alder", "Birch", "Cedar", "Elm"];
const COLOURS = ["red", "green", "blue"];
const PRODUCTS = 48;
const CUSTOMERS = 12;
const ORDERS = 30;

const INITIAL = {
  defaultLanguage: "en",
  defaultZone: "Europe",
  countries: ["AT", "BE", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "PT"].map((code) => ({
    name: code, code, zone: "Europe",
  })),
  taxRates: [{ name: "Standard", percentage: 20 }, { name: "Reduced", percentage: 10 }],
  shippingMethods: [{ name: "Slow", price: 500 }, { name: "Fast", price: 1000 }],
  paymentMethods: [
    { name: "Dummy", handler: { code: "dummy-payment-handler", arguments: [{ name: "automaticSettle", value: "true" }] } },
  ],
  collections: [
    ...KINDS.map((name) => collection(name, "kind")),
    ...KINDS.flatMap((parent) => MAKERS.map((maker) => collection(`${maker} ${parent}`, "maker", maker, parent))),
  ],
};

function collection(name, _kind, value = name, parentName = undefined) {
  const filters = [{ code: "facet-value-filter", args: { facetValueNames: [value], containsAny: false } }];
  return { name, description: name, parentName, filters };
}

function csv() {
  const lines = ["name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets"];
  for (let n = 0; n < PRODUCTS; n += 1) {
    const kind = KINDS[n % KINDS.length];
    const facets = `kind:${kind}|maker:${MAKERS[n % MAKERS.length]}`;
    COLOURS.forEach((colour, place) => {
      const product = place ? ",,,,," : `Product ${n},product-${n},About ${n},,${facets},colour`;
      lines.push(`${product},${colour},SKU-${n}-${place},${10 + n}.5,Standard,1000,true,,colour:${colour}`);
    });
  }
  return `${lines.join("\n")}\n`;
}

async function ask(client, api, query, variables) {
  const { text } = await client.send(graphql(api, "seed", query, variables));
  const answer = JSON.parse(text);
  if (answer.errors) throw new Error(text.slice(0, 500));
  return answer.data;
}

// Fill the shop through its importer and its own APIs.
async function fill(client) {
  const { importProductsFromCsv, populateCollections, populateInitialData } = settings.load("@vendure/core/cli");
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "pg95-bed-vendure-")), "products.csv");
  fs.writeFileSync(file, csv());
  await populateInitialData(settings.app, INITIAL);
  await importProductsFromCsv(settings.app, file, "en");
  await populateCollections(settings.app, INITIAL);
  await ask(client, "admin", "mutation { login(username: \"superadmin\", password: \"superadmin\") { __typename } }");
  for (let n = 0; n < CUSTOMERS; n += 1) {
    const input = { firstName: `First${n}`, lastName: `Last${n}`, emailAddress: `c${n}@example.org` };
    const made = await ask(client, "admin", "mutation($i: CreateCustomerInput!, $p: String) { createCustomer(input: $i, password: $p) { ... on Customer { id } } }", { i: input, p: PASSWORD });
    for (const code of ["DE", "FR"]) {
      const address = { fullName: input.firstName, streetLine1: `${n} Street`, city: "Town", postalCode: "1", countryCode: code };
      await ask(client, "admin", "mutation($c: ID!, $i: CreateAddressInput!) { createCustomerAddress(customerId: $c, input: $i) { id } }", { c: made.createCustomer.id, i: address });
    }
  }
  for (let n = 0; n < ORDERS; n += 1) await order(client, n);
  await new Promise((resolve) => setTimeout(resolve, 5000)); // jobs: the search's index, collections' contents
}

async function order(admin, n) {
  const client = new admin.constructor(admin.url);
  await ask(client, "shop", `mutation { login(username: "c${n % CUSTOMERS}@example.org", password: "${PASSWORD}") { __typename } }`);
  for (let line = 0; line < 3 + (n % 6); line += 1) {
    const id = 1 + ((n * 7 + line * 5) % (PRODUCTS * COLOURS.length));
    await ask(client, "shop", `mutation { addItemToOrder(productVariantId: ${id}, quantity: ${1 + (line % 2)}) { __typename } }`);
  }
  await ask(client, "shop", 'mutation { setOrderShippingAddress(input: {fullName: "A", streetLine1: "1 Street", city: "Town", postalCode: "1", countryCode: "DE"}) { __typename } }');
  await ask(client, "shop", "mutation { setOrderShippingMethod(shippingMethodId: [1]) { __typename } }");
  await ask(client, "shop", 'mutation { transitionOrderToState(state: "ArrangingPayment") { __typename } }');
  const paid = await ask(client, "shop", 'mutation { addPaymentToOrder(input: {method: "dummy", metadata: {}}) { __typename ... on ErrorResult { message } } }');
  if (paid.addPaymentToOrder.__typename !== "Order") throw new Error(JSON.stringify(paid));
}

module.exports = { fill };
