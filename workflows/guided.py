"""What a task was last told by its planner, and where it stands still.

A paused task finishes the step it is in and stands still before the next one: its run ends there,
and what it has done goes into one that only waits (parked.py). The same happens, without a wait,
to a task that grew long or for which there is new code.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from temporalio import workflow

from activities.contracts.children import TaskSteering
from workflows.options import is_long


class Guided:
    """One task's steering; lives inside its workflow run."""

    def __init__(self, first: TaskSteering, onward: Callable[[], NoReturn]) -> None:
        """`onward` ends this run: another one goes on from what is done."""
        self.now = first
        self._onward = onward

    def hear(self, told: TaskSteering) -> None:
        """Takes a letter."""
        self.now = newer(self.now, told)

    def may_go_on(self) -> None:
        """Returns where the next step may begin here and now; a cancellation gets through.

        One that came together with a letter, while a run ended, is not heard by the next run: so
        the letter of a migration that ends counts as well.
        """
        if self.now.draining:
            raise asyncio.CancelledError
        self.may_ask()

    def may_ask(self) -> None:
        """The same for what is finished: it may land when its migration ends."""
        end_if_cancelled()
        if self.now.paused:
            self._onward()

    @property
    def leaves(self) -> bool:
        """Whether this run ends at the next place where an attempt may begin."""
        return self.now.paused or self._moves_on

    def may_begin(self) -> None:
        """The same before an attempt that is not this run's first, or a turn: a good place to move
        on from."""
        self.may_go_on()
        if self._moves_on:
            self._onward()

    @property
    def _moves_on(self) -> bool:
        return is_long() or workflow.info().is_target_worker_deployment_version_changed()


def newer(known: TaskSteering, told: TaskSteering) -> TaskSteering:
    """Of two letters the one that was written last, however they travelled."""
    return told if told.number > known.number else known


def end_if_cancelled() -> None:
    """A cancellation that a step did not hear before it ended is used up by it: here it counts."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
