"""Conftests that change what tests meet: what is done to every test unasked, what takes the place
of code under test, and what did such things and is gone.

Counted over all tests of the change, so that what moves, or is said in another way (a `setUp` that
becomes a fixture, a `mock.patch` that becomes a monkeypatch), is no more than before.
"""

import re
from collections.abc import Iterator, Sequence

from activities.adapters.integrity_losses import ChangedTests

_UNASKED = re.compile(
    r"\bautouse\s*=\s*True\b"
    r"|\bdef (?:setUp|setUpClass|setUpModule|setup|setup_(?:method|class|module|function))\b"
)
_REPLACES = re.compile(r"\bsetattr\s*\(|\b(?:mock|mocker)\.patch\b|\bpatch(?:\.\w+)?\s*\(")
_DOES = re.compile(r"\bautouse\s*=\s*True\b|\bdef pytest_\w+")
_KINDS = (
    (_UNASKED, "is done to every test unasked"),
    (_REPLACES, "takes the place of code that tests look at"),
)


def tampered(files: Sequence[ChangedTests]) -> Iterator[tuple[str, int | None, str]]:
    """Path, line and what is wrong, of each conftest of the change that does more of it."""
    conftests = [file for file in files if file.path.rpartition("/")[2] == "conftest.py"]
    for pattern, what in _KINDS if conftests else ():
        more = [
            _count(pattern, file.after.code) - _count(pattern, file.before.code) for file in files
        ]
        for file, here in zip(files, more, strict=True):
            if file in conftests and here > 0 and sum(more) > 0:
                line, said = _first(pattern, file)
                yield file.path, line, f"{what}: {said}"
    others = any(not file.deleted for file in conftests)
    for file in conftests:
        if file.deleted and not others and (found := _DOES.search(file.before.code)):
            line = file.before.line(found.start())
            yield file.path, line, "the file is gone, with what it does to every test"


def _count(pattern: re.Pattern[str], code: str) -> int:
    return sum(1 for _ in pattern.finditer(code))


def _first(pattern: re.Pattern[str], file: ChangedTests) -> tuple[int, str]:
    """The first such line that was not there before, and its text."""
    known = {line.strip() for line in file.before.text.split("\n")}
    lines = file.after.text.split("\n")
    numbers = [file.after.line(found.start()) for found in pattern.finditer(file.after.code)]
    fresh = (n for n in numbers if lines[n - 1].strip() not in known)
    number = next(fresh, numbers[0])
    return number, lines[number - 1].strip()[:100]
