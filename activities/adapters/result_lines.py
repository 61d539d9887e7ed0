"""The lines of a run's output, as the readers of results take them.

Colours are taken out: they are no part of a name. An output that is larger than what is kept of it
is unreadable as a whole: the results in the part that was cut out would be missing.
"""

import re
from collections.abc import Iterator

from activities.adapters.raw_result import UnreadableResultsError

MAX_BYTES = 50 * 1024 * 1024
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def result_lines(content: bytes) -> Iterator[str]:
    """Each line without its end, trailing white space and colours."""
    if len(content) > MAX_BYTES:
        raise UnreadableResultsError(f"the output is larger than {MAX_BYTES >> 20} MiB")
    for line in content.decode(errors="replace").split("\n"):
        yield _ANSI.sub("", line).rstrip()
