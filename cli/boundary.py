"""The edge between a verb and the shell: exit codes, messages on stderr, Ctrl-C.

A verb is a coroutine that returns an exit code or raises Refused. Data goes to stdout, everything
that is said to a person about it to stderr.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any

from activities.adapters.html_text import lines


class Code(IntEnum):
    """What the shell is told; scripts rely on these."""

    OK = 0
    NOT_DONE = 1
    """The migration failed, was stopped, or left something for a person."""
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    REJECTED = 5
    TIMED_OUT = 6
    DETACHED = 130


class Refused(Exception):
    """A verb cannot do what it was asked; the text says what to do about it."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(verb: Coroutine[Any, Any, int], interrupted: str = "") -> int:
    """Runs a verb to its exit code; Ctrl-C and SIGTERM end it in order and say `interrupted`."""
    try:
        return asyncio.run(_stoppable(verb))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(interrupted or "Interrupted.")
        return Code.DETACHED
    except Refused as refusal:
        say(str(refusal))
        return refusal.code
    except BrokenPipeError:
        sys.stderr.close()
        return Code.OK
    except OSError as error:
        if error.filename is None:
            raise
        # A path that somebody named, or a place of our own, cannot be used as it is.
        say(
            f"{error.filename}: {error.strerror}; name another path, or set WHIMBREL_HOME or "
            "WHIMBREL_BLOBS as the workers have them"
        )
        return Code.USAGE


async def _stoppable(verb: Coroutine[Any, Any, int]) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await verb


def say(message: str) -> None:
    """Tells the person something; never data."""
    print(lines(message), file=sys.stderr, flush=True)


def give(data: str) -> None:
    """Data: as it is for a program, without what would steer it for a terminal."""
    if sys.stdout.isatty():
        data = lines(data)
    sys.stdout.write(data if data.endswith("\n") else data + "\n")
    sys.stdout.flush()


def give_json(schema: str, data: dict[str, Any]) -> None:
    """Data for programs."""
    give(as_json(schema, data))


def as_json(schema: str, data: dict[str, Any]) -> str:
    """Data for programs: `schema` names and versions its shape."""
    return json.dumps({"schema": f"whimbrel.{schema}/1", **data}, indent=2, default=str) + "\n"
