CREATE TABLE authors (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE books (id bigserial PRIMARY KEY, title text NOT NULL, author_id bigint NOT NULL REFERENCES authors (id));
CREATE INDEX ON books (author_id);
INSERT INTO authors (name) SELECT 'author ' || n FROM generate_series(1, 20) n;
INSERT INTO books (title, author_id) SELECT 'book ' || n, 1 + n % 20 FROM generate_series(1, 200) n;
