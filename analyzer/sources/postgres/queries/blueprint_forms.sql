-- Values of statistics are printed so that any server reads them back; it ends with the transaction.
SELECT /* pg95 */
    pg_catalog.set_config('search_path', 'pg_catalog', true),
    pg_catalog.set_config('DateStyle', 'ISO, YMD', true),
    pg_catalog.set_config('IntervalStyle', 'postgres', true),
    pg_catalog.set_config('extra_float_digits', '3', true),
    pg_catalog.set_config('bytea_output', 'hex', true),
    pg_catalog.set_config('quote_all_identifiers', 'off', true)
