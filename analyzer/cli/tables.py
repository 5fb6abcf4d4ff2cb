"""`pg95 tables`: the diagnosis of tables, which comes before advice."""

from typing import Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import replica_option, shared_options
from analyzer.cli._output import FORMATS


@click.command(
    epilog="""\b
Examples:
  pg95 tables --dsn service=prod
  pg95 tables monday.json.zst sunday.json.zst --schema dump.sql   over the window of two snapshots
  pg95 tables app.log                     reads and writes by statements
  pg95 tables app.log --dsn service=prod --format csv > tables.csv
""",
)
@shared_options
@replica_option
@click.option("--format", type=click.Choice(FORMATS), help="Instead of a table.")
def tables(**given: Any) -> None:
    """Diagnose tables: size, rows, reads and writes, vacuum, statements, indexes and their use.

    From a live server, from snapshots, or from statements alone, as far as each of them tells.
    """
    from analyzer.report.views import tables as view

    own = {"csv": view.csv_text, "markdown": view.markdown_text}
    run_focused({**given, "every_table": True}, None, view.terminal_lines, own)
