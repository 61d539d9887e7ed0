"""What HTML pages share: the parts of their templates, and how much of everything fits on one.

A page stays below MAX_BYTES: when all of it would not fit, its lists get shorter, and say what they
leave out.
"""

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from activities.adapters.html_charts import HEIGHT, WIDTH
from activities.adapters.html_text import line, moment, output, words
from activities.adapters.report_words import count

MAX_BYTES = 1_000_000
FOLDER = Path(__file__).parent / "html"


class Limits(NamedTuple):
    """How much of each list and text a page shows."""

    rows: int
    """Of tasks, landings and decisions."""
    undone: int
    """Rows of what was not done."""
    paths: int
    """In one of those."""
    files: int
    """That one task landed."""
    checks: int
    """Of one attempt."""
    ids: int
    """In any other list."""
    text: int
    """Characters of a sentence or name."""
    output: int
    """Characters of what one task's commands printed."""


LIMITS = (
    Limits(rows=2000, undone=3000, paths=200, files=200, checks=20, ids=500, text=600, output=1500),
    Limits(rows=1000, undone=2000, paths=50, files=50, checks=5, ids=200, text=300, output=400),
    Limits(rows=1000, undone=1500, paths=20, files=10, checks=2, ids=100, text=200, output=0),
    Limits(rows=600, undone=800, paths=20, files=0, checks=1, ids=50, text=160, output=0),
    Limits(rows=500, undone=500, paths=10, files=0, checks=0, ids=20, text=140, output=0),
    Limits(rows=300, undone=200, paths=10, files=0, checks=0, ids=20, text=120, output=0),
    Limits(rows=100, undone=50, paths=3, files=0, checks=0, ids=10, text=100, output=0),
)
"""From generous to tight: landed files go first, and the last one fits whatever a report says."""


def fitting(page: Callable[[Limits], str]) -> str:
    """The page with the most that fits."""
    drawn = ""
    for limits in LIMITS:
        drawn = page(limits)
        if len(drawn.encode()) < MAX_BYTES:
            break
    return drawn


@cache
def template(name: str) -> Template:
    """A page's template; whatever it is given is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(line=line, output=output, moment=moment, words=words)
    shared_words = {"count": count, "width": WIDTH, "height": HEIGHT}
    return environment.get_template(name, globals=shared_words)


@cache
def shared() -> dict[str, Any]:
    """Style and script, and what the page's policy allows: exactly these two."""
    style, script = ((FOLDER / name).read_text() for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
