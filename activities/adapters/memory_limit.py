"""Says which limit a command met when it could get no more memory: its own words name none."""

import re

_RAN_OUT = re.compile(
    rb"errno=12\b|Cannot allocate memory|\bOutOfMemoryError\b|^MemoryError\b", re.M
)
_LOOKED_AT = 4000
"""Bytes of the output's end."""


def memory_note(output: bytes, memory: int, name: str) -> bytes:
    """A line for the end of a failed command's output; empty unless it says that memory ran out.

    `memory`: bytes that each of its processes may have; `name`: what sets that.
    """
    if not _RAN_OUT.search(output[-_LOOKED_AT:]):
        return b""
    return f"\n[each process may have {memory / (1 << 30):g} GiB of memory: {name}]\n".encode()
