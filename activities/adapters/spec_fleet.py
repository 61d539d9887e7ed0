"""What a spec says about its repositories: one, or a fleet of them with variables of their own."""

import re
from collections.abc import Iterator
from typing import Any

from activities.adapters import spec_words as words
from activities.adapters.spec_parts import items, judged, table
from activities.adapters.spec_problem import Fault, Path
from activities.adapters.spec_source import variables_of
from activities.adapters.spec_vars import Value
from activities.adapters.yaml_nodes import Item, Listing, Scalar, Table
from activities.contracts.repository import repository_name

ENTRIES: Path = ("repositories",)


def repository_count(root: Table) -> int:
    """How many repositories a document lists; 0: it has no list of them."""
    return len(_entries(root))


def repository_variables(root: Table, number: int) -> dict[str, Value]:
    """The variables of one of them."""
    entry = _entries(root)[number]
    return variables_of(entry) if isinstance(entry, Table) else {}


def _entries(root: Table) -> tuple[Item, ...]:
    for key, value in root.pairs:
        if isinstance(key, Scalar) and (key.text,) == ENTRIES and isinstance(value, Listing):
            return value.items
    return ()


def repository_faults(data: dict[str, Any]) -> Iterator[Fault]:
    """Exactly one of `repository` and `repositories`, each with a name of its own."""
    if "repository" in data and "repositories" in data:
        what = "`repository` and `repositories` are both here"
        yield Fault(ENTRIES, what, "keep one of them", on_key=True)
    elif "repository" not in data and "repositories" not in data:
        advice = "give the repository's URL or path; `repositories` lists several"
        yield Fault(("repository",), "`repository` is missing", advice)
    if "fleet" in data and "repositories" not in data:
        what = "`fleet` is for several repositories"
        yield Fault(("fleet",), what, "list them under `repositories`", on_key=True)
    yield from _url_faults(data.get("repository"), ("repository",))
    yield from _entry_faults(items(data.get("repositories")))


def _entry_faults(entries: list[Any]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        here: Path = (*ENTRIES, number)
        fields = table(entry)
        url = fields.get("url", entry)
        yield from _url_faults(url, (*here, "url") if fields else here)
        yield from judged(fields.get("base"), (*here, "base"), words.branch)
        if not isinstance(url, str) or not url:
            continue
        name = str(fields.get("name") or repository_name(url))
        if name in seen:
            what = f"`{name}` is the name of repository {seen[name] + 1} already"
            yield Fault(here, what, "give it one of its own: {url: ..., name: ...}")
        seen.setdefault(name, number)


def _url_faults(url: Any, path: Path) -> Iterator[Fault]:
    if isinstance(url, str) and re.match(r"https?://[^/?#]*@", url):
        what = "a URL with credentials in it: they would stand in every history and report"
        yield Fault(path, what, "leave them out, or use an ssh URL or a path")
