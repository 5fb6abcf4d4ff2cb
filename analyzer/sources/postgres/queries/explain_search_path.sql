SELECT /* pg95 */ pg_catalog.set_config('search_path', %(path)s, true)
