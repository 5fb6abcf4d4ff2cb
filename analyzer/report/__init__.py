"""report.json from what was found, and every view of it: HTML, Markdown, CSV and terminal tables.

`document` builds the one result; `views` render it and see nothing else.
"""
