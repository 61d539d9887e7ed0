"""Where placeholders stand in a command: `{files}`, `{files|join:,}`, `{repo.name}`, `{{literal}}`.

`{{x}}` is a literal `{x}`; `${x}` belongs to the shell. In a script, a word is what the shell would
take as one word around a placeholder; comments hold no placeholders.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from activities.contracts.shell_text import COMMENT, contexts
from activities.contracts.spec import Command

LISTS = ("files", "dirs", "roots", "targets")
FILES_FILE = "files_file"
PROMPT_FILE = "prompt_file"
PROMPTS = ("prompt", PROMPT_FILE)
WORDS = ("task", "base", *PROMPTS, "repo.name", "repo.base")

_NAME = r"[A-Za-z_]\w*(?:\.\w+)*"
_SLOT = re.compile(
    r"\{\{(?P<literal>" + _NAME + r"(?:\|[^{}\n]*)?)\}\}"
    r"|(?<!\$)\{(?P<name>" + _NAME + r")(?:\|(?P<how>[^{}\n]*))?\}"
)
_WORD_END = frozenset(" \t\n|&;()<>")


class Slot(NamedTuple):
    """A placeholder, or a literal in double braces, at its place in a text."""

    name: str
    """Empty for a literal."""
    literal: str
    how: str | None
    """What follows the bar, as in `join:,`."""
    start: int
    end: int

    @property
    def join(self) -> str | None:
        joins = self.how is not None and self.how.startswith("join:")
        return self.how.removeprefix("join:") if joins and self.how is not None else None

    @property
    def repeats(self) -> bool:
        """Whether its word is repeated for each value."""
        return self.name in LISTS and self.join is None


class Word(NamedTuple):
    """A shell word that holds a list placeholder, at its place in a script."""

    start: int
    end: int
    slots: tuple[Slot, ...]

    @property
    def list(self) -> str:
        return next(s.name for s in self.slots if s.repeats)


def slots(text: str) -> list[Slot]:
    """All placeholders and literals of a text."""
    return [
        Slot(m["name"] or "", m["literal"] or "", m["how"], m.start(), m.end())
        for m in _SLOT.finditer(text)
    ]


def script_slots(script: str) -> list[Slot]:
    """Those of a script, without those in comments."""
    marks = contexts(script)
    return [s for s in slots(script) if marks[s.start] != COMMENT]


def all_slots(run: Command) -> list[Slot]:
    """Those of a command in either form."""
    if isinstance(run, str):
        return script_slots(run)
    return [slot for word in run for slot in slots(word)]


def script_words(script: str) -> list[Word]:
    """The words of a script that are repeated for each value, in order."""
    found = script_slots(script)
    inside = {i for s in found for i in range(s.start, s.end)}
    words: dict[int, Word] = {}
    for slot in (s for s in found if s.repeats):
        start, end = slot.start, slot.end
        while start > 0 and (start - 1 in inside or script[start - 1] not in _WORD_END):
            start -= 1
        while end < len(script) and (end in inside or script[end] not in _WORD_END):
            end += 1
        words[start] = Word(start, end, tuple(s for s in found if start <= s.start < end))
    return list(words.values())


def fill(text: str, value_of: Callable[[Slot], str | None]) -> str:
    """The text with its slots replaced in one pass; None leaves a slot as it stands."""
    out, at = "", 0
    for slot in slots(text):
        value = value_of(slot)
        if value is not None:
            out += text[at : slot.start] + value
            at = slot.end
    return out + text[at:]
