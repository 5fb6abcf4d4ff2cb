"""What only a Prisma project has: schema.prisma against the database, and migrations.

`drift` compares two catalogs, `words` writes what mends a difference: lines of schema.prisma, and SQL
for a migration. Nothing here talks to a database, and nothing here changes one.
"""
