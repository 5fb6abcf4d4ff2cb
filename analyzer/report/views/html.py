"""The HTML report: one file that asks nothing of anybody, rendered from the document alone.

Every text of a document is untrusted. Jinja escapes it, `finalize` takes the power of control and
reordering characters away, and the page's own policy lets one script and one style run, by hash.
"""

import base64
import hashlib
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from analyzer.patterns import regex
from analyzer.report import formats
from analyzer.report.sections import SECTIONS
from analyzer.report.values import Document
from analyzer.report.verdict_words import overall_headline, overall_state, short_figures
from analyzer.report.views.copied import copied_text
from analyzer.resources import templates_directory

_RIGHT_TO_LEFT = regex("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]+")


_PHONE, _HIGHEST = 36, 20  # characters in a line of a phone, lines before a block scrolls


def bidi(text: str) -> Markup:
    """Code in which each run of right-to-left letters keeps its direction to itself.

    Without it, `"…" = $1` after a Hebrew name would be shown in another order than it is written.
    """
    if not _RIGHT_TO_LEFT.search(text):
        return content(text)
    pieces = []
    end = 0
    for found in _RIGHT_TO_LEFT.finditer(text):
        pieces.append(content(text[end : found.start()]))
        pieces.append(Markup("<bdi>{}</bdi>").format(found[0]))
        end = found.end()
    pieces.append(content(text[end:]))
    return Markup("").join(pieces)


def content(text: str) -> Markup:
    """A text for between tags, never for an attribute: quotes stay, which plans and SQL are full of."""
    escaped = str(escape(formats.neutralise(text)))
    plain = escaped.replace("&#34;", '"').replace("&#39;", "'")
    return Markup(plain)  # noqa: S704 - escaped above but for the quotes


def scrolls(text: str) -> bool:
    """Whether a block of code may be higher than the page lets it be, on a phone: then a key reaches it."""
    return sum(1 + len(line) // _PHONE for line in text.split("\n")) > _HIGHEST


def sortable(value: object) -> Markup:
    """The attribute that a column is sorted by: a number with four digits, or nothing known."""
    return Markup(f"data-v={value:.4g}" if formats.is_number(value) else 'data-v=""')  # noqa: S704 - digits alone


def kind(key: str) -> str:
    """What a finding is, from its key: all but the digits at its end."""
    return key.rpartition("-")[0] or key


_FILTERS = {
    "bidi": bidi,
    "content": content,
    "kind": kind,
    "scrolls": scrolls,
    "sortable": sortable,
    "ms": formats.ms,
    "count": formats.count,
    "size": formats.size,
    "percent": formats.percent,
    "moment": formats.moment,
    "plural": formats.plural,
    "one_line": formats.one_line,
    "cut": formats.cut,
    "sentence": formats.sentence,
    "quantile": formats.quantile_name,
}


def render(document: Document) -> str:
    """The whole page as text; equal documents give equal pages.

    Raises:
        AnalyzerError: pg95's own templates are missing.
    """
    environment = _environment()
    text = copied_text(document)
    sections = []
    for section in SECTIONS:
        context = section.prepare(document)
        if context is not None:
            template = environment.get_template(section.template)
            html = template.render(
                section=section, document=document, blocks=text.blocks, **context
            )
            body = Markup(html)  # noqa: S704 - its own template escaped it; twice would show the markup
            sections.append({"section": section, "body": body, "count": context.get("count")})
    style, script = _asset("style.css"), _asset("app.js")
    page = environment.get_template("base.html.j2").render(
        document=document,
        sections=sections,
        title=_title(document),
        window=formats.window(document["window"]["from"], document["window"]["to"]),
        headline=overall_headline(document),
        policy=_policy(style, script),
        markdown=text.text,
        page_lines=text.page_lines,
        style=Markup(style),  # noqa: S704 - our own file, no text of a document in it
        script=Markup(script),  # noqa: S704 - as style
    )
    return page.rstrip() + "\n"


def _title(document: Document) -> str:
    return f"pg95: {overall_state(document)}, {short_figures(document)}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_directory()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    return environment


def _finalize(value: Any) -> Any:  # noqa: ANN401 - whatever an expression gave
    """What every `{{ … }}` passes through before it is escaped."""
    if value is None:
        return formats.NOTHING
    if isinstance(value, str) and not isinstance(value, Markup):
        return formats.neutralise(value)
    return value


@cache
def _asset(name: str) -> str:
    return (templates_directory() / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded; the one script and the one style run because of their hashes."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
