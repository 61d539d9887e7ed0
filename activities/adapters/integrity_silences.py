"""Comments and attributes that silence a checker, wherever in the code they are.

Nearly no file has any: one look for their words, letters alike, tells without a pattern.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from activities.adapters.integrity_paths import suffix_of
from activities.adapters.integrity_tests import LONGEST
from activities.adapters.objects import DiffEntry
from activities.adapters.violation import Violation
from activities.contracts.integrity import IntegrityRule as Rule

ReadBoth = Callable[[DiffEntry], tuple[bytes, bytes]]
"""What a file holds before and after."""

Silencer = tuple[tuple[bytes, ...], re.Pattern[bytes]]
"""What begins a comment (nothing: it is no comment), and the words behind it."""
_HASH: Silencer = (
    (b"#",),
    re.compile(
        rb"noqa\b|type:\s*ignore\b|pyright:\s*(?:ignore|basic|off|\w+=(?:false|none))"
        rb"|pylint:\s*(?:disable|skip-file)|mypy:\s*(?:ignore|disable|allow)|nosec\b"
        rb"|pragma:\s*no cover",
        re.IGNORECASE,
    ),
)
_SLASHES: Silencer = (
    (b"//", b"/*"),
    re.compile(
        rb"eslint-disable|@ts-(?:ignore|expect-error|nocheck)|nolint\b|#nosec"
        rb"|lint:(?:file-)?ignore|(?:istanbul|c8|v8) ignore|tslint:disable|biome-ignore|nosonar"
        rb"|checkstyle[: ]?off|coverage:ignore",
        re.IGNORECASE,
    ),
)
_RUST: Silencer = (
    (b"#[", b"#!["),
    re.compile(rb"(?<=\[)\s*(?:allow|expect)\(|(?<=cfg_attr\()[^\]\n]{0,200}?\b(?:allow|expect)\("),
)
_JAVA: Silencer = ((b"",), re.compile(rb"@Suppress(?:Warnings|FBWarnings|Lint)?\b"))
_WORDS = (
    *(b"noqa", b"type:", b"pyright:", b"pylint:", b"mypy:", b"nosec", b"no cover"),
    *(b"eslint-disable", b"@ts-", b"nolint", b"lint:", b"istanbul", b"c8 ignore", b"v8 ignore"),
    *(b"biome-ignore", b"nosonar", b"checkstyle", b"coverage:ignore"),
    *(b"allow(", b"expect(", b"@suppress"),
)
_BY_SUFFIX: dict[str, tuple[Silencer, ...]] = {
    suffix: silencers
    for suffixes, silencers in (
        (".py .pyi", (_HASH,)),
        (".js .jsx .mjs .cjs .ts .tsx .mts .cts .go .c .cc .cpp .h .hpp", (_SLASHES,)),
        (".rs", (_RUST,)),
        (".java .kt", (_SLASHES, _JAVA)),
    )
    for suffix in suffixes.split()
}


class Silences:
    """Those of one change: what only moves within it is none that was added."""

    def __init__(self) -> None:
        self._more: list[tuple[str, list[bytes], list[tuple[int, bytes]]]] = []
        """Path, lines before, lines after of the files that have more than before."""
        self._fewer: list[tuple[tuple[Silencer, ...], DiffEntry]] = []
        """Files that may have fewer; read when it matters."""
        self._both: ReadBoth = lambda _: (b"", b"")

    def look(self, entry: DiffEntry, both: ReadBoth) -> None:
        """Takes one file into account; one that is deleted is only read if another has more."""
        silencers = _BY_SUFFIX.get(suffix_of(entry.path))
        if silencers is None:
            return
        self._both = both
        if entry.status == "D":
            self._fewer.append((silencers, entry))
            return
        old, new = both(entry)
        if len(new) > LONGEST or not _may_silence(new):
            self._fewer.append((silencers, entry))
            return
        before, after = _lines(silencers, old), _lines(silencers, new)
        if len(after) > len(before):
            self._more.append((entry.path, [text for _, text in before], after))
        elif len(after) < len(before):
            self._fewer.append((silencers, entry))

    def violations(self) -> Iterator[Violation]:
        """Files that silence more than before, unless others silence as much less."""
        more = sum(len(after) - len(before) for _, before, after in self._more)
        if not more or more <= self._less():
            return
        for path, before, after in self._more:
            line, said = next((one for one in after if one[1] not in before), after[-1])
            shown = said.decode("utf-8", "replace")[:100]
            yield Violation(Rule.CHECKS_SILENCED, path, line, f"silences a checker: {shown}")

    def _less(self) -> int:
        less = 0
        for silencers, entry in self._fewer:
            old, new = self._both(entry)
            if len(old) <= LONGEST and _may_silence(old):
                less += len(_lines(silencers, old)) - len(_lines(silencers, new))
        return less


def _may_silence(content: bytes) -> bool:
    """Whether any of the words is there at all."""
    lower = content.lower()
    return any(word in lower for word in _WORDS)


def _lines(silencers: Sequence[Silencer], content: bytes) -> list[tuple[int, bytes]]:
    """The lines that silence something: 1-based number and stripped text."""
    return [
        (number, line.strip())
        for number, line in enumerate(content.split(b"\n"), 1)
        if any(_silences(line, marks, words) for marks, words in silencers)
    ]


def _silences(line: bytes, marks: Sequence[bytes], words: re.Pattern[bytes]) -> bool:
    """Whether one of the words is behind the first mark."""
    found = [at for at in map(line.find, marks) if at >= 0]
    return bool(found) and words.search(line, min(found)) is not None
