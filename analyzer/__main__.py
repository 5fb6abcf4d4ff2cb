"""`python -m analyzer` is `pg95`."""

from analyzer.cli import main

main()
