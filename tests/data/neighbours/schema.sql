CREATE TABLE accounts (
    id serial PRIMARY KEY, owner text NOT NULL, balance int NOT NULL, region int NOT NULL,
    tier int NOT NULL, score int NOT NULL
);
CREATE TABLE events (
    id serial PRIMARY KEY, account_id int NOT NULL REFERENCES accounts, kind text NOT NULL,
    payload text NOT NULL
);
INSERT INTO accounts (owner, balance, region, tier, score)
    SELECT 'owner ' || n, n % 100, n % 10, n % 3, n % 7 FROM generate_series(1, 1000) n;
INSERT INTO events (account_id, kind, payload)
    SELECT n % 1000 + 1, CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END, 'payload ' || n
    FROM generate_series(1, 60000) n;
CREATE INDEX ON events (account_id);
CREATE INDEX ON events (kind, id);
ANALYZE;
