"""Schemas from files: SQL scripts and schema.prisma, read into the catalog's words."""
