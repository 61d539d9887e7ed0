"""Who died and was started again: a line for each in the state directory, from whoever supervises
them, read once for the report. Nothing depends on it: what cannot be written or read is not told.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

FILE = "interruptions.jsonl"


def note(state: Path, who: str) -> None:
    """It has just died. One write, so that lines of several writers are never mixed."""
    line = json.dumps({"at": datetime.now(UTC).isoformat(), "who": who}) + "\n"
    with suppress(OSError):
        file = os.open(state / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


def between(state: Path, start: str, end: str) -> dict[str, int]:
    """Who → how often, from one moment to another; both as ISO 8601 with their offset."""
    since, until = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return dict(Counter(who for at, who in _noted(state) if since <= at <= until))


def _noted(state: Path) -> Iterator[tuple[datetime, str]]:
    lines: list[str] = []
    with suppress(OSError):
        lines = (state / FILE).read_text(errors="replace").splitlines()
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):  # a full disk cuts a line short
            noted = json.loads(line)
            yield datetime.fromisoformat(noted["at"]), str(noted["who"])
