CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL, level int NOT NULL);
CREATE TABLE sessions (key text PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);
CREATE TABLE categories (id bigint PRIMARY KEY, name text NOT NULL, parent_id bigint REFERENCES categories);
CREATE TABLE brands (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE products (
    id bigint PRIMARY KEY, name text NOT NULL, price numeric NOT NULL,
    category_id bigint NOT NULL REFERENCES categories, brand_id bigint NOT NULL REFERENCES brands
);
CREATE TABLE stock (product_id bigint NOT NULL REFERENCES products, place text, amount int NOT NULL);
CREATE TABLE reviews (
    id bigint PRIMARY KEY, product_id bigint NOT NULL REFERENCES products,
    customer_id bigint NOT NULL REFERENCES customers, stars int NOT NULL, body text
);
CREATE TABLE tags (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE product_tags (product_id bigint NOT NULL REFERENCES products, tag_id bigint NOT NULL REFERENCES tags);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, placed date NOT NULL, state text NOT NULL
);
CREATE TABLE order_lines (
    id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders,
    product_id bigint NOT NULL REFERENCES products, amount int NOT NULL
);
CREATE TABLE shipments (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, carrier text);
CREATE TABLE settings (name text PRIMARY KEY, value text);
CREATE INDEX ON reviews (product_id);
CREATE INDEX ON reviews (customer_id);
CREATE INDEX ON products (category_id);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON order_lines (order_id);
CREATE INDEX ON shipments (order_id);
CREATE INDEX ON stock (product_id);
CREATE INDEX ON product_tags (product_id);
