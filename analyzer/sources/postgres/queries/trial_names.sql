-- What relations names mean by the session's own search path: no operator of that path is used.
SELECT /* pg95 */ q.name, pg_catalog.to_regclass(q.name)::pg_catalog.oid
FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) AS q(name)
