"""Files and outputs as a model is shown them, and its edits as bytes again. Pure.

What a tool shows is text; what it writes back has the file's own encoding, line ends and last line
end, so that an edit changes what it names and nothing else.
"""

import difflib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pathspec import GitIgnoreSpec, Pattern

from activities.adapters.bounded_regex import BoundedRegex, PatternTooSlow

BINARY_SAMPLE = 8000
"""git's own rule: a NUL in the first bytes makes a file binary."""
GLOB_SECONDS = 5.0
LINE_SHOWN = 1000
"""Characters of a line that is shown."""
COMPARED, ALIKE = 2000, 120
"""Lines among which one that is near is looked for, and characters of each: it takes their square.
"""
_BOM = b"\xef\xbb\xbf"
_LOOSE_CR = re.compile(r"(?<!\r)\n")
_NUMBERED = re.compile(r"^ *\d+\t", re.MULTILINE)


class Refused(Exception):
    """A call that is not carried out; the text tells the model why, and what to do."""


@dataclass(frozen=True)
class Text:
    """A text file, apart from how it is stored."""

    text: str
    """With its own line ends."""
    encoding: str = "utf-8"
    """Or latin-1, which holds any bytes: what is not UTF-8 survives an edit elsewhere in it."""
    bom: bool = False

    @classmethod
    def of(cls, content: bytes, name: str) -> "Text":
        """Raises Refused for a binary file."""
        if b"\0" in content[:BINARY_SAMPLE]:
            raise Refused(
                f"{name} is binary ({len(content)} bytes): file tools show and edit text only; use "
                "`run` with a program that knows it"
            )
        bom = content.startswith(_BOM)
        body = content.removeprefix(_BOM)
        try:
            return cls(body.decode(), bom=bom)
        except UnicodeDecodeError:
            return cls(content.decode("latin-1"), "latin-1")

    @property
    def crlf(self) -> bool:
        """Whether most of its lines end with CR LF."""
        return 2 * self.text.count("\r\n") > self.text.count("\n")

    def lines(self) -> list[str]:
        """Without line ends; what ends with a line end has no empty last line."""
        lines = [line.removesuffix("\r") for line in self.text.split("\n")]
        return lines[:-1] if lines[-1] == "" else lines

    def like(self, text: str) -> str:
        """The text with this file's line ends."""
        return _LOOSE_CR.sub("\r\n", text) if self.crlf else text.replace("\r\n", "\n")

    def bytes_of(self, text: str, name: str) -> bytes:
        """Other text in this file's place; a last line end is kept. Raises Refused where its
        encoding has no such characters."""
        if text and self.text.endswith("\n") and not text.endswith("\n"):
            text += "\r\n" if self.crlf else "\n"
        return (_BOM if self.bom else b"") + encoded(text, self.encoding, name)

    @property
    def notes(self) -> str:
        """What a reader cannot see."""
        odd = ["CRLF line ends, which are kept"] if self.crlf else []
        odd += ["not UTF-8, shown as Latin-1"] if self.encoding != "utf-8" else []
        odd += ["no line end after the last line"] if self.text and self.text[-1] != "\n" else []
        return f"; {', '.join(odd)}" if odd else ""


NEW = Text("")
"""What a new file is like: UTF-8, LF."""


def encoded(text: str, encoding: str, name: str) -> bytes:
    """Raises Refused where the encoding has no such characters."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        what = "no text" if encoding == "utf-8" else f"not in {encoding}, in which {name} is kept"
        raise Refused(
            f"the character {bad!a} is {what}: write it otherwise, such as by an escape"
        ) from None


def numbered(lines: Sequence[str], first: int) -> str:
    """Lines with their numbers; the middle of a very long one is left out."""
    return "".join(f"{n:>6}\t{shortened(line)}\n" for n, line in enumerate(lines, first))


def shortened(line: str, most: int = LINE_SHOWN) -> str:
    """The line, or its beginning and how much of it is missing."""
    if len(line) <= most:
        return line
    return f"{line[:most]}... [{len(line) - most} more characters in this line]"


def bounded(text: str, most: int, rest: str) -> str:
    """The beginning of a text that is too long, whole lines where they are not the longest part of
    it, and how to get the rest."""
    if len(text) <= most:
        return text
    whole = text[:most].rpartition("\n")[0]
    kept = whole if 2 * len(whole) > most else text[:most]
    return f"{kept}\n[cut: {len(text) - len(kept)} of {len(text)} characters are left out; {rest}]"


def places(text: str, part: str) -> list[int]:
    """The 1-based lines where the part begins, each occurrence."""
    found: list[int] = []
    line, seen = 1, 0
    at = text.find(part)
    while at >= 0:
        line, seen = line + text.count("\n", seen, at), at
        found.append(line)
        at = text.find(part, at + max(len(part), 1))
    return found


def listed(numbers: Sequence[int], most: int = 10) -> str:
    """Numbers in words, not too many."""
    shown = ", ".join(map(str, numbers[:most]))
    return f"{shown} and {len(numbers) - most} more" if len(numbers) > most else shown


def why_absent(lines: Sequence[str], old: str, new: str) -> str:
    """What the file has instead of a text that is not in it, as advice."""
    if _NUMBERED.match(old):
        return "leave out the line numbers that `read` puts before each line"
    wanted = [line.strip() for line in old.strip("\n").split("\n")]
    stripped = [line.strip() for line in lines]
    size = len(wanted)
    for at in range(len(stripped) - size + 1):
        if stripped[at] == wanted[0] and stripped[at : at + size] == wanted:
            where = f"lines {at + 1}-{at + size}" if size > 1 else f"line {at + 1}"
            return f"{where} differ from it in whitespace only: copy them as `read` shows them"
    if new.strip() and new in "\n".join(lines):
        return "the new text is there already: look with `read` whether this edit is done"
    longest = max(wanted, key=len)
    near = _nearest(longest, stripped)
    if not near:
        return "nothing like it is there: look with `read` or `search`"
    shown = "\n".join(f"{n:>6}\t{shortened(lines[n - 1], 200)}" for n in near)
    return f"the nearest lines are\n{shown}\ncopy the text exactly as `read` shows it"


def _nearest(line: str, among: Sequence[str]) -> list[int]:
    """1-based numbers of the lines most like it, at most three."""
    begins = [other[:ALIKE] for other in among[:COMPARED]]
    close = difflib.get_close_matches(line[:ALIKE], begins, 3, 0.6) if line else []
    return sorted({begins.index(text) + 1 for text in close})


def globbing(patterns: Sequence[str]) -> Callable[[bytes], bool]:
    """Whether a path matches gitignore patterns, within a time limit: theirs backtrack too. Raises
    Refused, then and when it is asked."""
    try:
        known = [
            (pattern.include, BoundedRegex(_source(pattern), GLOB_SECONDS, over_paths=True))
            for pattern in GitIgnoreSpec.from_lines(patterns).patterns
            if pattern.include is not None
        ]
    except (ValueError, re.error) as error:
        raise Refused(f"the pattern cannot be used: {error}") from None

    def matches(path: bytes) -> bool:
        name, taken = os.fsdecode(path), False
        try:
            for include, regex in known:
                if include is not taken and regex.search(name):
                    taken = include
        except PatternTooSlow as slow:
            raise Refused(str(slow)) from None
        return taken

    return matches


def _source(pattern: Pattern) -> str:
    """The regular expression that a gitignore pattern was made into."""
    return cast("re.Pattern[str]", cast("Any", pattern).regex).pattern


def near_names(name: str, among: Iterable[str]) -> list[str]:
    """Names that somebody may have meant, at most three."""
    known = list(among)
    folded = {_folded(other): other for other in known}
    if (same := folded.get(_folded(name))) is not None:
        return [same]
    return difflib.get_close_matches(name, known, 3, 0.7)


def _folded(name: str) -> str:
    """The same for names that look the same."""
    return unicodedata.normalize("NFC", name).casefold()
