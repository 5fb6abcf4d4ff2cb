CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, state text NOT NULL, total int NOT NULL
);
CREATE TABLE invoices (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id int NOT NULL REFERENCES orders, amount int NOT NULL
);
CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL, payload text NOT NULL);
CREATE TABLE rates (currency text PRIMARY KEY, rate numeric NOT NULL);
CREATE TABLE stock (product_id int PRIMARY KEY, amount int NOT NULL);
INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 200) AS n;
INSERT INTO orders SELECT n, 1 + n * 37 % 200, 'open', n FROM generate_series(1, 200) AS n;
INSERT INTO rates VALUES ('EUR', 1);
INSERT INTO stock SELECT n, 1000 FROM generate_series(1, 20) AS n;
