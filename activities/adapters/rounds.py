"""Many ask, one works: whatever is asked for while a round is under way, the next one does.

So a dear thing that serves any number of askers, such as a connection, is done once for all who
asked before it began, and never twice at once.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Work = Callable[[Sequence[Item]], Mapping[Item, Exception]]
"""Does all of these; says which failed, and why."""


class Rounds(Generic[Item]):
    """For the threads of one process."""

    def __init__(self, work: "Work[Item]") -> None:
        self._work = work
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[tuple[Sequence[Item], Future[None]]] = []

    def ask(self, items: Sequence[Item]) -> None:
        """Returns once a round that began after this call has done all of them; raises what the
        first of them failed with, or what the round did."""
        answer: Future[None] = Future()
        with self._guard:
            self._waiting.append((items, answer))
        with self._turn:
            if not answer.done():
                self._round()
        answer.result()

    def _round(self) -> None:
        with self._guard:
            asked, self._waiting = self._waiting, []
        try:
            failed = self._work([*dict.fromkeys(item for items, _ in asked for item in items)])
        except Exception as error:
            for _, answer in asked:
                answer.set_exception(error)
            return
        for items, answer in asked:
            wrong = next((failed[item] for item in items if item in failed), None)
            if wrong is None:
                answer.set_result(None)
            else:
                answer.set_exception(wrong)
