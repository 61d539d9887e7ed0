"""Fault points: named places where a test may kill, freeze, slow or fail this process.

Every activity has two, `before:<activity>` and `after:<activity>` (its effect is done, its result
not recorded yet), and so has every effect below: the moment when something becomes true for other
processes. Nothing happens at any of them unless worker.py arms orders, which only a test's
environment gives it. An order is carried out once, by whichever process gets there first.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

BEFORE = "before"
AFTER = "after"


class Effect(StrEnum):
    """What adapters make true for other processes: refs that move, files that get their name."""

    REF_OWNER = "ref/owner"
    REF_BRANCH = "ref/branch"
    REF_LANDING = "ref/landing"
    REF_LAND = "ref/land"
    REF_LANDED = "ref/landed"
    REF_SET_BACK = "ref/set-back"
    REF_ACCEPTED = "ref/accepted"
    REF_DEEP = "ref/deep"
    REF_BASE_BRANCH = "ref/base-branch"
    REF_BASE = "ref/base"
    REF_INCOMING = "ref/incoming"
    REF_CHECKPOINT = "ref/checkpoint"
    REF_KEEP = "ref/keep"
    REF_DROP = "ref/drop"
    REF_MIRRORED = "ref/mirrored"
    REF_SENT = "ref/sent"
    PUSHED = "hub/pushed"
    BLOB = "blob/put"
    RECORD = "blob/put-once"
    INTENT = "turn/intent"
    REPLY = "turn/reply"
    BLOBS_GONE = "blob/deleted"
    PACK = "pack/objects"
    PACK_INDEX = "pack/index"
    HUB = "hub/created"
    HUB_GONE = "hub/deleted"
    WORKSPACE = "workspace/opened"
    WORKSPACE_GONE = "workspace/closed"
    ENVIRONMENT = "environment/ready"


class Action(StrEnum):
    """What a test may have done at a point."""

    CRASH = "crash"
    """SIGKILL."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT after some seconds."""
    SLOW = "slow"
    """Some seconds longer."""
    ERROR = "error"
    """An exception that trying again mends."""
    DUPLICATE = "duplicate"
    """The activity runs again before its result is recorded."""


LASTING = (Action.FREEZE, Action.SLOW)


class InjectedFault(Exception):
    """A failure that a test asked for."""


@dataclass(frozen=True)
class Order:
    """One fault, to happen once; whoever carries it out writes its pid to `done`."""

    point: str
    action: Action
    seconds: float
    done: Path


_orders: dict[str, tuple[Order, ...]] = {}


def points_of(names: Iterable[str]) -> list[str]:
    """The points before and after each of these activities or effects."""
    return [f"{when}:{name}" for name in names for when in (BEFORE, AFTER)]


def arm(text: str, marks: Path, activities: Sequence[str]) -> None:
    """Takes over orders such as `crash@after:land,freeze/8@before:run_rung`, in place of earlier
    ones. `activities`: of all roles. Raises ValueError for one that can never be carried out."""
    _orders.clear()
    known = points_of((*activities, *Effect))
    for number, entry in enumerate(filter(None, text.split(","))):
        what, _, point = entry.partition("@")
        action, _, seconds = what.partition("/")
        if point not in known:
            raise ValueError(f"{entry}: there is no fault point {point!r}")
        order = Order(point, Action(action), float(seconds or 0), marks / str(number))
        if (order.action in LASTING) != bool(order.seconds):
            raise ValueError(f"{entry}: seconds belong to {' and '.join(LASTING)}")
        if order.action is Action.DUPLICATE and (not point.startswith(AFTER) or "/" in point):
            raise ValueError(f"{entry}: only an activity can be run again, after it has run")
        _orders[point] = (*_orders.get(point, ()), order)


def due(point: str) -> Order | None:
    """The order to carry out here and now; the caller does so."""
    for order in _orders.get(point, ()):
        with suppress(FileExistsError), order.done.open("x") as done:
            done.write(str(os.getpid()))
            return order
    return None


def passing(point: str) -> None:
    """Carries out what is ordered for this point."""
    if order := due(point):
        obey(order)


async def passing_activity(point: str) -> bool:
    """The same at a point of an activity; whether it is to run again. A slow one holds up no
    other."""
    order = due(point)
    if order and order.action is Action.SLOW:
        await asyncio.sleep(order.seconds)
    elif order:
        obey(order)
    return order is not None and order.action is Action.DUPLICATE


def obey(order: Order) -> None:
    """Everything but running an activity again, which its caller does."""
    if order.action is Action.CRASH:
        os.kill(os.getpid(), signal.SIGKILL)
    elif order.action is Action.FREEZE:
        _freeze(order.seconds)
    elif order.action is Action.SLOW:
        time.sleep(order.seconds)
    elif order.action is Action.ERROR:
        raise InjectedFault(f"injected at {order.point}")


@contextmanager
def around(effect: Effect) -> Generator[None]:
    """The body is the effect: nothing of it is there before, all of it after."""
    passing(f"{BEFORE}:{effect}")
    yield
    passing(f"{AFTER}:{effect}")


def _freeze(seconds: float) -> None:
    """The thawing is left to a process of its own, which belongs to nobody's state directory."""
    thaw = f"sleep {seconds}; kill -CONT {os.getpid()}"
    subprocess.Popen(["/bin/sh", "-c", thaw], env={}, cwd="/", start_new_session=True)
    os.kill(os.getpid(), signal.SIGSTOP)
