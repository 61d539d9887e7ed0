"""Tests that runners are told to look for no longer, although they are still there; conftests that
decide which tests run.

What is only named less is told by the words alone (`integrity_configuration`). Here a setting is
new, or names other things, and the tree says what that means: nothing where all tests have moved,
a loss where some stay and nobody looks there any more.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pathspec import GitIgnoreSpec

from activities.adapters.integrity_around import PYTEST, Around
from activities.adapters.integrity_configuration import Said, Texts, said_in
from activities.adapters.integrity_languages import language_of
from activities.adapters.integrity_paths import may_be_collected, suffix_of
from activities.adapters.integrity_tests import read_tests

LOOKED_AT = 200
"""Files that are read to see whether they hold tests."""
_FOLDERS = frozenset(("testpaths", "roots"))
_PYTEST_LOOKS = {"testpaths": ("*",), "python_files": ("test_*.py", "*_test.py")}
"""Key → where pytest looks when nobody says."""
_SCRIPT_LOOKS = {"jest.config.": ("roots", "testMatch"), "vitest.config.": ("include",)}
_SCRIPTS = frozenset((".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"))
_QUOTED = re.compile(r"[\"']([^\"'\n]+)[\"']")
_NO_GLOB = re.compile(r"[(){}|!$]|^\.\.")
"""Patterns with these are in another language than gitignore's: nobody here can tell."""
_HOOKS = re.compile(
    r"\bdef (pytest_(?:collection_modifyitems|ignore_collect|collect_file|pycollect_makeitem"
    r"|generate_tests|itemcollected|deselected|runtest\w+|cmdline_main|pyfunc_call|sessionfinish|exception_interact"
    r"|report_teststatus|unconfigure))\b|\b(os\._exit|sys\.exit|exitstatus\s*=|config\.option\.\w+\s*=(?!=))"
)


@dataclass(frozen=True)
class _Looks:
    """Where a runner looks by one key, before and after."""

    key: str
    path: str
    """The file that says so."""
    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    suffixes: frozenset[str]

    def loses(self, path: str) -> bool:
        """Whether a test's file was looked at and is not now."""
        folder = self.path.rpartition("/")[0]
        below = path.removeprefix(f"{folder}/") if folder else path
        if folder and below == path:
            return False
        return _spec(self.old).match_file(below) and not _spec(self.new).match_file(below)


def left_out(
    configured: Texts, gone: Collection[str], around: Around
) -> Iterator[tuple[str, int, str]]:
    """Path and line of each setting of the change by which tests that stay in the tree are not
    collected any more. `gone`: the paths that the change deletes."""
    for looks in (*_pytest(configured, around), *_scripts(configured)):
        if lost := [*islice(_lost(looks, gone, around), LOOKED_AT)]:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            yield looks.path, looks.line, f"`{looks.key}` leaves out {lost[0]}{more}"


def hooks(text: str) -> list[tuple[int, str]]:
    """What a conftest takes into its hands that decides which tests run and how they end."""
    return [
        (number, found[1] or found[2])
        for number, line in enumerate(text.split("\n"), 1)
        if (found := _HOOKS.search(line.partition("#")[0]))
    ]


def _lost(looks: _Looks, gone: Collection[str], around: Around) -> Iterator[str]:
    found = (
        path
        for path in around.paths
        if suffix_of(path) in looks.suffixes
        and path not in gone
        and may_be_collected(path)
        and looks.loses(path)
    )
    for path in islice(found, LOOKED_AT):
        language = language_of(path)
        if language and read_tests(around.content(path), language).tests:
            yield path


def _pytest(configured: Texts, around: Around) -> Iterator[_Looks]:
    now = {path: text for path, _, text in configured}
    for key, default in _PYTEST_LOOKS.items() if now.keys() & set(PYTEST) else ():
        before, after = around.pytest_says(key), around.pytest_says(key, now)
        old, new = (
            tuple(_pattern(key, said.word) for _, said in found) or default
            for found in (before, after)
        )
        if said := after or before:
            yield from _changed(key, *said[0], old, new, frozenset((".py",)))


def _scripts(configured: Texts) -> Iterator[_Looks]:
    for path, old, new in configured:
        name = path.rpartition("/")[2]
        keys = next((k for begin, k in _SCRIPT_LOOKS.items() if name.startswith(begin)), ())
        for key in keys:
            before, after = (
                [said for said in said_in(text, path) if said.key == key and said.word]
                for text in (old, new)
            )
            if not after or (key == "include" and not before):
                continue  # the default is the runner's own, or it is coverage's
            strings = [
                tuple(_pattern(key, text) for text in _strings(whole, found))
                for whole, found in ((old, before), (new, after))
            ]
            had, has = strings[0] or ("*",), strings[1]
            if has and not any(map(_NO_GLOB.search, (*had, *has))):
                yield from _changed(key, path, after[0], had, has, _SCRIPTS)


def _changed(
    key: str,
    path: str,
    said: Said,
    old: tuple[str, ...],
    new: tuple[str, ...],
    suffixes: frozenset[str],
) -> Iterator[_Looks]:
    """Nothing where it says the same, or only less: that is told without the tree."""
    if not set(new) <= set(old):
        yield _Looks(key, path, said.line, old, new, suffixes)


def _strings(text: str, found: Sequence[Said]) -> list[str]:
    """The quoted texts of the lines that these words are in."""
    lines = text.split("\n")
    numbers = sorted({said.line for said in found})
    keys = {said.key for said in found}
    return [s for n in numbers for s in _QUOTED.findall(lines[n - 1]) if s not in keys]


def _pattern(key: str, word: str) -> str:
    """A word as gitignore's patterns have it; folders begin at the configuration's own."""
    word = word.removeprefix("<rootDir>").removeprefix("./").rstrip("/")
    anchored = key in _FOLDERS or word.startswith("/")
    return f"/{word.lstrip('/')}" if anchored and word not in ("", ".") else word or "*"


def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(["*" if pattern == "." else pattern for pattern in patterns])
