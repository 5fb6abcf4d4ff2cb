-- Why the names of a statement may mean something else than PostgreSQL's own functions that only read,
-- and plain tables: no row where they cannot. Objects from 16384 on were not made by initdb. Names are
-- looked for in every schema of the search path: whichever a call resolves to, it is one of these.
SELECT /* pg95 */ found.reason
FROM (
WITH RECURSIVE path AS (
    SELECT n.oid FROM pg_namespace AS n
    WHERE n.nspname = 'pg_catalog' OR n.nspname = ANY(%(path)s::text[])
), relations AS (
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity
    FROM unnest(%(schemas)s::text[], %(relations)s::text[]) AS named(schema, name)
    JOIN pg_class AS c ON c.relname = named.name
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE CASE WHEN named.schema IS NULL THEN n.oid IN (SELECT path.oid FROM path)
        ELSE n.nspname = named.schema END
    UNION
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity
    FROM relations
    JOIN pg_inherits AS i ON i.inhparent = relations.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid
)
SELECT 'it may call the user-defined function ' || p.proname || '()'
FROM pg_proc AS p
WHERE p.proname = ANY(%(functions)s::text[] || %(fields)s::text[])
    AND p.oid >= 16384 AND p.pronamespace IN (SELECT path.oid FROM path)
UNION ALL
SELECT 'it may call the volatile function ' || p.proname || '()'
FROM pg_proc AS p
WHERE p.proname = ANY(%(functions)s::text[] || %(fields)s::text[])
    AND p.oid < 16384 AND (p.provolatile = 'v' OR p.prokind = 'p')
UNION ALL
SELECT 'it uses the user-defined operator ' || o.oprname
FROM pg_operator AS o
WHERE o.oprname = ANY(%(operators)s::text[])
    AND o.oid >= 16384 AND o.oprnamespace IN (SELECT path.oid FROM path)
UNION ALL
SELECT 'it uses the volatile operator ' || o.oprname
FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode
WHERE o.oprname = ANY(%(operators)s::text[]) AND p.provolatile = 'v'
    AND o.oprnamespace IN (SELECT path.oid FROM path)
UNION ALL
SELECT 'it casts to the user-defined type ' || t.typname
FROM pg_type AS t
WHERE t.typname = ANY(%(types)s::text[]) AND t.oid >= 16384 AND t.typtype <> 'e'
    AND t.typnamespace IN (SELECT path.oid FROM path)
UNION ALL
SELECT 'it reads ' || r.relname || ', which is ' || CASE r.relkind
        WHEN 'v' THEN 'a view' WHEN 'f' THEN 'a foreign table' ELSE 'no plain table' END
FROM relations AS r WHERE r.relkind NOT IN ('r', 'p', 'm')
UNION ALL
SELECT 'it reads ' || r.relname || ', which has row security policies'
FROM relations AS r WHERE r.relrowsecurity
UNION ALL
SELECT 'it reads ' || r.relname || ', whose column ' || a.attname || ' has a user-defined type'
FROM relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_type AS item ON item.oid = t.typelem AND t.typcategory = 'A'
WHERE coalesce(item.oid, t.oid) >= 16384 AND coalesce(item.typtype, t.typtype) <> 'e'
UNION ALL
-- A cast between types that may occur here, by a function that anybody may have written.
SELECT 'the cast from ' || s.typname || ' to ' || t.typname || ' calls a user-defined function'
FROM pg_cast AS c
JOIN pg_type AS s ON s.oid = c.castsource
JOIN pg_type AS t ON t.oid = c.casttarget
WHERE c.castfunc >= 16384 AND (s.oid < 16384 OR s.typtype <> 'b') AND (t.oid < 16384 OR t.typtype <> 'b')
) AS found (reason)
LIMIT 1
