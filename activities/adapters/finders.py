"""Finds sites and says which files are in scope, who owns them, and which sites may stay.

Patterns have gitignore's meaning everywhere (a leading / anchors, a trailing / is a folder).
Searching is line by line in text files, so what is found in a file depends on its bytes alone:
that is why it can be kept by blob id for ever, and why finding it twice is harmless.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path

from codeowners import CodeOwners
from pathspec import GitIgnoreSpec

from activities.adapters.bounded_regex import BoundedRegex
from activities.contracts.site_forms import Accepted, Sites
from activities.contracts.survey import Site

BINARY_SAMPLE = 8_000
"""git's own rule: a NUL in the first bytes makes a file binary."""
LARGE = 5 * 1024 * 1024
"""Above this a file is decoded one line at a time instead of at once."""
_BOM = b"\xef\xbb\xbf"
_BUSY_SECONDS = 60.0
_ROWS = 500
"""Variables in one statement; old SQLite builds allow 999."""


def find_regex(pattern: str, content: bytes) -> list[int]:
    """The 1-based numbers of the lines that match; none in a binary file. See `line_finder`."""
    return line_finder(pattern)(content)


def line_finder(pattern: str) -> Callable[[bytes], list[int]]:
    """A function that finds the lines that match; it raises PatternTooSlow, per file.

    A carriage return before the line end and a byte order mark are not part of a line, so that
    `$` and `^` mean what a person sees.
    """
    bounded = BoundedRegex(pattern)

    def find(content: bytes) -> list[int]:
        if b"\0" in content[:BINARY_SAMPLE]:
            return []
        bounded.restart()
        return bounded.lines(_lines(content))

    return find


def _lines(content: bytes) -> Iterator[str]:
    content = content.removeprefix(_BOM)
    if len(content) > LARGE:
        for raw in BytesIO(content):
            yield raw.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")
        return
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    if lines[-1] == "":
        lines.pop()
    for line in lines:
        yield line.removesuffix("\r")


def in_scope(paths: Iterable[str], sites: Sites) -> list[str]:
    """The paths that `include` matches and `exclude` does not, in the order given."""
    include = GitIgnoreSpec.from_lines(sites.include)
    exclude = GitIgnoreSpec.from_lines(sites.exclude)
    return [p for p in paths if include.match_file(p) and not exclude.match_file(p)]


class SiteCache:
    """Line numbers by (finder digest, blob id), kept in one SQLite file under `root`.

    Any number of processes and threads of one host may use it: each call opens the file anew, and
    a row, once written, is what every later writer would have written. Losing the file costs time.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._file = root / "sites-1.sqlite3"
        with closing(self._open()) as store, store:
            store.execute("PRAGMA journal_mode = WAL")
            store.execute(
                "CREATE TABLE IF NOT EXISTS found (finder TEXT, blob TEXT, lines TEXT NOT NULL,"
                " PRIMARY KEY (finder, blob)) WITHOUT ROWID"
            )

    def get(self, finder: str, blobs: Iterable[str]) -> dict[str, list[int]]:
        """blob → line numbers, for those that are known; an empty list is knowledge too."""
        wanted = list(dict.fromkeys(blobs))
        known: dict[str, list[int]] = {}
        with closing(self._open()) as store:
            for start in range(0, len(wanted), _ROWS):
                part = wanted[start : start + _ROWS]
                marks = ",".join("?" * len(part))
                rows = store.execute(
                    f"SELECT blob, lines FROM found WHERE finder = ? AND blob IN ({marks})",
                    (finder, *part),
                )
                known.update((blob, json.loads(lines)) for blob, lines in rows)
        return known

    def put(self, finder: str, found: Mapping[str, Sequence[int]]) -> None:
        """Keeps what was found, all or nothing; what is there already stays as it is."""
        if not found:
            return
        rows = [(finder, blob, json.dumps(list(lines))) for blob, lines in found.items()]
        with closing(self._open()) as store, store:
            store.executemany("INSERT OR IGNORE INTO found VALUES (?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=_BUSY_SECONDS)


def owners(codeowners_text: str, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """path → who CODEOWNERS names for it (the last matching line); unowned paths are left out."""
    rules = _rules(codeowners_text)
    named = ((path, tuple(name for _, name in rules.of(path))) for path in paths)
    return {path: names for path, names in named if names}


def _rules(text: str) -> CodeOwners:
    """The file's rules without the lines that no reader understands: code hosts skip them too."""
    try:
        return CodeOwners(text)
    except (ValueError, re.error):
        return CodeOwners("\n".join(line for line in text.splitlines() if _understood(line)))


def _understood(line: str) -> bool:
    try:
        CodeOwners(line)
    except (ValueError, re.error):
        return False
    return True


def parse_found(
    output: bytes, known: Collection[str], root: str = "/src"
) -> list[tuple[str, int | None]]:
    """The places in a finder's output, a `path` or `path:line` in each line, sorted, once each.

    What follows the line number is ignored (`grep -n` prints the text), and so are paths that are
    not known: a finder may print progress, and sites outside the tree are nobody's.
    """
    paths = frozenset(known)
    found = (_place(line, paths) for line in _said(output, root))
    return [(path, line or None) for path, line in sorted({place for place in found if place})]


def unread(output: bytes, known: Collection[str], root: str = "/src") -> str:
    """The lines of a finder's output in which `parse_found` sees no place; blank ones left out."""
    paths = frozenset(known)
    strange = [line for line in _said(output, root) if line and not _place(line, paths)]
    return "\n".join(strange).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _said(output: bytes, root: str) -> Iterator[str]:
    """The lines of an output, their paths as git's are written here."""
    for raw in output.decode("utf-8", "surrogateescape").split("\n"):
        yield raw.strip().removeprefix(root.rstrip("/") + "/").removeprefix("./")


def _place(text: str, known: Collection[str]) -> tuple[str, int] | None:
    """A path may hold colons: the whole line is tried first, then ever longer leads of it."""
    if text in known:
        return text, 0
    for match in re.finditer(r":([0-9]{1,9})(?=:|$)", text):
        if text[: match.start()] in known:
            return text[: match.start()], int(match[1])
    return None


def apply_accept(
    sites: Sequence[Site], accept: Sequence[Accepted]
) -> tuple[list[Site], list[Site]]:
    """(left, accepted): the first `max` sites of each file that a rule names may stay.

    Rules are tried in order, and each has its own count per file.
    """
    rules = [(GitIgnoreSpec.from_lines([rule.path]), rule.max) for rule in accept]
    used: Counter[tuple[int, str]] = Counter()
    left: list[Site] = []
    accepted: list[Site] = []
    for site in sorted(sites, key=lambda s: (s.path, s.line or 0, s.finder, s.what)):
        for number, (spec, most) in enumerate(rules):
            if spec.match_file(site.path) and (most is None or used[number, site.path] < most):
                used[number, site.path] += 1
                accepted.append(site)
                break
        else:
            left.append(site)
    return left, accepted
