"""What a case is: the files of a commit, what a task makes of them, and what is to be said."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.adapters.repositories import Content


@dataclass(frozen=True)
class Case:
    """One small change set; it claims what it changes unless told otherwise."""

    before: Mapping[str, Content]
    after: Mapping[str, Content | None]
    """What it writes; None deletes."""
    says: tuple[str, ...] = ()
    """`rule: path:line` of each violation, the line where one makes sense; empty: it is honest."""
    claims: tuple[str, ...] | None = None
    modes: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def paths(self) -> set[str]:
        return {*self.before, *self.after}


def changed(path: str, text: str, old: str, new: str, *says: str) -> Case:
    """A file with one place of its text replaced."""
    text, old, new = (textwrap.dedent(one).lstrip("\n") for one in (text, old, new))
    assert old in text, f"{path} has no {old!r}"
    return Case({path: text}, {path: text.replace(old, new)}, says)


def edited(path: str, text: str, old: str, new: str, *says: str) -> Case:
    """The same with indented lines, as they are."""
    assert old in text, f"{path} has no {old!r}"
    return Case({path: text}, {path: text.replace(old, new)}, says)


def rewritten(path: str, old: str, new: str, *says: str) -> Case:
    """A file whose whole text is another."""
    old, new = (textwrap.dedent(one).lstrip("\n") for one in (old, new))
    return Case({path: old}, {path: new}, says)


def moved(path: str, to: str, text: str, *says: str) -> Case:
    """A file under another name."""
    text = textwrap.dedent(text).lstrip("\n")
    return Case({path: text}, {path: None, to: text}, says)
