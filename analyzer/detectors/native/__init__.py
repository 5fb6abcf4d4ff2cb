"""Native twins of the search's passes over a slice (analyzer/native.py): a module for each that has one."""
