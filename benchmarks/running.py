"""Suite after suite in one process: each in a folder of its own, for so long at most, and the next
one comes whatever became of it."""

import shutil
import signal
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from benchmarks.measuring import Comparison
from tests.traces import assert_nothing_runs


class Suite(NamedTuple):
    """What compares, and how long it may take."""

    compare: Callable[[Path, int], list[Comparison]]
    """Given a folder, which is removed afterwards, and how many rounds."""
    minutes: float


class Ran(NamedTuple):
    """What a suite did."""

    seconds: float
    comparisons: list[Comparison]
    failure: str = ""
    """Why there are none."""

    @property
    def holds(self) -> bool:
        return not self.failure and all(comparison.holds for comparison in self.comparisons)


class TooLong(Exception):
    """A suite took longer than it may."""


def run(suites: Mapping[str, Suite], scratch: Path, rounds: int) -> Generator[tuple[str, Ran]]:
    """Each in its turn, by name. Of none is a process, a mount or a file left."""
    for name, suite in suites.items():
        folder = scratch / name
        folder.mkdir(parents=True)
        began = time.monotonic()
        found, failure = list[Comparison](), ""
        try:
            with _at_most(suite.minutes * 60):
                found = suite.compare(folder, rounds)
            assert_nothing_runs(folder)
        except Exception:
            failure = traceback.format_exc()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yield name, Ran(time.monotonic() - began, found, failure)


@contextmanager
def _at_most(seconds: float) -> Generator[None]:
    """Raises TooLong in the middle of what takes longer; for the main thread."""

    def over(_: int, __: FrameType | None) -> None:
        raise TooLong(f"it took more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
