"""What is wrong with the placeholders of a command, before anything runs.

In a script a placeholder stands outside quotes, and a word with a list placeholder holds plain
characters besides, or variables on one side of it: only such words can be repeated for each value.
"""

import difflib
import re
from typing import NamedTuple

from activities.contracts.placeholder_slots import (
    FILES_FILE,
    LISTS,
    WORDS,
    Slot,
    Word,
    all_slots,
    script_slots,
    script_words,
    slots,
)
from activities.contracts.shell_text import QUOTED, contexts
from activities.contracts.spec import Command

_EDGE = re.compile(r"(?:[\w./:=,+@%-]|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")


class Fault(NamedTuple):
    """What is wrong, and what to do about it."""

    what: str
    advice: str
    offset: int
    """Which character of the script, or of the word of a list, it begins with."""


def unknown_words(run: Command) -> list[str]:
    """Placeholder names that mean nothing, in order, each once."""
    return [slot.name for slot in _unknown_slots(run)]


def _unknown_slots(run: Command) -> list[Slot]:
    """Where each of those names stands first."""
    known = {"", FILES_FILE, *LISTS, *WORDS}
    first: dict[str, Slot] = {}
    for slot in all_slots(run):
        if slot.name not in known:
            first.setdefault(slot.name, slot)
    return list(first.values())


def placeholder_faults(run: Command) -> list[Fault]:
    """Everything about a command's placeholders that would not expand as meant."""
    strange = _unknown_slots(run)
    unknown = [slot.name for slot in strange]
    found = [_unknown(slot) for slot in strange]
    known = [s for s in all_slots(run) if s.name and s.name not in unknown]
    found += [fault for slot in known if (fault := _modifier(slot)) is not None]
    if isinstance(run, str):
        return found + (_in_quotes(run, unknown) or _words(run))
    return found + [
        Fault("one word holds two lists", "give each list a word of its own", 0)
        for word in run
        if len({s.name for s in slots(word) if s.repeats}) > 1
    ]


def _unknown(slot: Slot) -> Fault:
    name = slot.name
    close = difflib.get_close_matches(name, (*LISTS, FILES_FILE, *WORDS), n=1)
    guess = f"did you mean {{{close[0]}}}? " if close else ""
    advice = f"{guess}write {{{{{name}}}}} for a literal {{{name}}}"
    return Fault(f"unknown placeholder `{{{name}}}`", advice, slot.start)


def _modifier(slot: Slot) -> Fault | None:
    if slot.how is not None and slot.join is None:
        return Fault(f"`|{slot.how}` is unknown", f"write {{{slot.name}|join:,}}", slot.start)
    if slot.join is not None and slot.name not in LISTS:
        return Fault(f"`{{{slot.name}}}` is not a list", "take the `|join` away", slot.start)
    return None


def _in_quotes(script: str, unknown: list[str]) -> list[Fault]:
    marks = contexts(script)
    return [
        Fault(
            f"`{script[s.start : s.end]}` stands inside quotes",
            "take the quotes away: a value always arrives whole, whatever it holds",
            s.start,
        )
        for s in script_slots(script)
        if s.name and s.name not in unknown and marks[s.start] == QUOTED
    ]


def _words(script: str) -> list[Fault]:
    return [f for word in script_words(script) if (f := _word(script, word)) is not None]


def _word(script: str, word: Word) -> Fault | None:
    text = script[word.start : word.end]
    lead = script[word.start : word.slots[0].start]
    trail = script[word.slots[-1].end : word.end]
    pairs = zip(word.slots, word.slots[1:], strict=False)
    between = "".join(script[a.end : b.start] for a, b in pairs)
    loop = f'loop over it: for x in {{{word.list}}}; do ... "$x" ...; done'
    if len({s.name for s in word.slots if s.repeats}) > 1:
        advice = "give each list a word of its own"
        return Fault(f"the word `{text}` holds two lists", advice, word.start)
    if _ASSIGNMENT.fullmatch(lead):
        return Fault(f"`{text}` gives a list to a plain variable", loop, word.start)
    if not all(_EDGE.fullmatch(part) for part in (lead, between, trail)) or "$" in between:
        what = f"the word `{text}` is repeated for each value and holds more than plain characters"
        return Fault(what, loop, word.start)
    if "$" in lead and "$" in trail:
        what = f"the word `{text}` has variables on both sides of a list"
        return Fault(what, loop, word.start)
    return None
