"""What a reader of specs says about a file: where, what, and what to do.

A Fault knows the path inside the document; a Problem knows the line and column as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """Something wrong at a path of the document."""

    path: Path
    what: str
    advice: str
    on_key: bool = False
    """Whether the field's name is what is wrong, rather than its value."""
    at: tuple[int, int, str] | None = None
    """Line and column, from 0, and the file, where the path alone does not tell."""
    offset: int | None = None
    """Which character of the value is wrong, where one is."""


@dataclass(frozen=True, order=True)
class Problem:
    """Something wrong at a place of the file; lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    what: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        return f"{where}{self.path + ': ' if self.path else ''}{self.what}; {self.advice}"


class SpecErrors(Exception):
    """Everything wrong with a spec, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def spelled(path: Path) -> str:
    """`("ladder", 0, "run")` → `ladder[0].run`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def covered(fault: Fault, earlier: Sequence[Fault]) -> bool:
    """Whether a fault is only the echo of an earlier one at the same path or inside it."""
    depth = len(fault.path)
    return depth > 0 and any(other.path[:depth] == fault.path for other in earlier)
