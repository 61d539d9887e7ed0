"""A stand-in at the other end of a signal: it keeps every letter until it is told to end."""

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

INBOXES = "inboxes"


@workflow.defn
class Inbox:
    """Plays a parent, a queue or a task whose answers the test itself gives."""

    @workflow.init
    def __init__(self) -> None:
        self._letters: list[tuple[str, Any]] = []
        self._over = False

    @workflow.run
    async def run(self) -> bool:
        """Returns whether it was cancelled."""
        try:
            await workflow.wait_condition(lambda: self._over)
        except asyncio.CancelledError:
            return True
        return False

    @workflow.signal(dynamic=True)
    def letter(self, name: str, args: Sequence[RawValue]) -> None:
        convert = workflow.payload_converter().from_payload
        self._letters.append((name, convert(args[0].payload) if args else None))

    @workflow.update
    async def await_letters(self, name: str, count: int) -> list[Any]:
        """The letters of one name, once there are `count` of them."""
        await workflow.wait_condition(lambda: len(self._of(name)) >= count)
        return self._of(name)

    @workflow.update
    def end(self) -> None:
        self._over = True

    @workflow.query
    def letters(self, name: str) -> list[Any]:
        return self._of(name)

    def _of(self, name: str) -> list[Any]:
        return [value for kind, value in self._letters if kind == name]
