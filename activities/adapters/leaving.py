"""How our processes end: at once, when their work is done, without taking the interpreter down.

Threads of the Temporal client may be on their way back into Python at that moment. A finalizing
interpreter then crashes, or waits for ever for a thread that waits for it
(temporalio/sdk-python#300); the exit code, on which scripts and supervisors rely, is lost.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn


def run_and_leave(program: Callable[[], object]) -> NoReturn:
    """Runs the program and ends the process with its exit code; children are stopped by then, or
    die with us by the kernel's hand."""
    code = 0
    try:
        program()
    except SystemExit as ended:
        code = _code(ended.code)
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _code(given: object) -> int:
    """As the interpreter would: nothing is success, a text is said and is failure."""
    if given is None or isinstance(given, int):
        return given or 0
    print(given, file=sys.stderr)
    return 1
