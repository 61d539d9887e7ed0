"""Finds sites in git's objects: by regular expressions, and by the syntax of the code.

What a finder sees in a blob depends on its bytes (and its language) alone, so it is kept by blob
for ever: the next commit costs what changed.
"""

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version

from activities.adapters.bounded_regex import PatternTooSlow
from activities.adapters.finders import SiteCache, line_finder
from activities.adapters.hub import Hub
from activities.adapters.objects import TreeFile
from activities.adapters.syntax_search import SyntaxRefused, find_syntax, language_of
from activities.contracts.site_forms import AstGrepRule, Finder
from activities.contracts.survey import MAX_SEARCHED

Search = Callable[[bytes], list[int]]


class FinderFailed(Exception):
    """A finder did not do its work; the text says why."""


class Scanner:
    """One host's way to search files by their bytes. Blocking."""

    def __init__(self, cache: SiteCache) -> None:
        self._cache = cache

    def find(self, hub: Hub, finder: Finder, files: Sequence[TreeFile]) -> list[tuple[str, int]]:
        """Path and line of what a `regex` or `ast_grep` finder sees in these files."""
        if finder.regex is not None:
            key = f"regex\0{finder.regex}"
            lines = self._lines(hub, key, line_finder(finder.regex), files)
            return [(f.path, line) for f in files for line in lines[f.blob]]
        assert finder.ast_grep is not None
        return self._by_syntax(hub, finder.ast_grep, files)

    def _by_syntax(
        self, hub: Hub, rule: str | AstGrepRule, files: Sequence[TreeFile]
    ) -> list[tuple[str, int]]:
        """The same bytes under two names may be of two languages: each is searched by itself."""
        written: dict[str, list[TreeFile]] = {}
        for file in files:
            if language := language_of(file.path, rule):
                written.setdefault(language, []).append(file)
        if files and not written:
            raise FinderFailed("ast_grep knows the language of no file in scope: set `language`")
        text = rule if isinstance(rule, str) else rule.model_dump_json()
        found: list[tuple[str, int]] = []
        for language, some in sorted(written.items()):
            key = f"ast_grep\0{version('ast-grep-py')}\0{language}\0{text}"
            lines = self._lines(hub, key, _syntax_finder(rule, language), some)
            found += [(f.path, line) for f in some for line in lines[f.blob]]
        return found

    def _lines(
        self, hub: Hub, key: str, search: Search, files: Sequence[TreeFile]
    ) -> dict[str, list[int]]:
        """blob → line numbers; only blobs never seen by this finder are read."""
        finder = hashlib.sha256(key.encode()).hexdigest()
        wanted = {f.blob: f.path for f in files if f.size <= MAX_SEARCHED}
        known = self._cache.get(finder, wanted)
        missing = sorted(wanted.keys() - known.keys())
        new: dict[str, list[int]] = {}
        try:
            for blob, content in hub.read_blobs(missing):
                new[blob] = _searched(search, content, wanted[blob])
        finally:
            self._cache.put(finder, new)
        return {f.blob: [] for f in files} | known | new


def _syntax_finder(rule: str | AstGrepRule, language: str) -> Search:
    return lambda content: find_syntax(rule, language, content)


def _searched(search: Search, content: bytes, path: str) -> list[int]:
    try:
        return search(content)
    except (PatternTooSlow, SyntaxRefused) as error:
        raise FinderFailed(f"{path}: {error}") from error
