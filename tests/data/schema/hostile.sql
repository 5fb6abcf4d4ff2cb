\restrict 0123456789abcdef
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
\connect shop
CREATE TABLE public.first (id integer NOT NULL, note text DEFAULT 'a;b -- c' NOT NULL);
CREATE TABLE `backticks` (`id` INT(11) NOT NULL AUTO_INCREMENT) ENGINE=InnoDB;
CREATE TABLE broken (id integer,, name text);
/* a comment; /* nested; */ CREATE TABLE not_this (id int); */
COPY public.first (id, note) FROM stdin;
1	it's; "odd" $$ /*
2	CREATE TABLE nor_this (id int);
\.
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  CREATE TABLE nor_that (id int); -- $$ '
END $body$;
INSERT INTO public.first VALUES (3, E'it\'s; here', U&'x');
GO
;;
CREATE TABLE "Second; one" (id integer /* key */ PRIMARY KEY, -- it's a comment
  "first;id" integer REFERENCES missing_table);
ALTER TABLE nowhere ADD CONSTRAINT x PRIMARY KEY (id);
CREATE INDEX ON nowhere (id);
SELECT $tag$ never closed;
CREATE TABLE after_open_tag (id int);
SELECT 'never closed;
CREATE TABLE last_one (id bigint UNIQUE);
\unrestrict 0123456789abcdef
