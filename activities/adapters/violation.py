"""One rule of the gate broken at one path: what a bounced task and the person reading it go by."""

from dataclasses import dataclass

from activities.adapters.git import printable


@dataclass(frozen=True)
class Violation:
    """One rule broken at one path."""

    rule: str
    path: str
    line: int | None
    """1-based, where a rule is about a line; of the file before, where it is about what is gone."""
    what: str

    def __str__(self) -> str:
        where = f":{self.line}" if self.line is not None else ""
        return f"{self.rule}: {printable(self.path)}{where}: {self.what}"
