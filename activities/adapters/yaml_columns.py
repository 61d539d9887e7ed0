"""Where a character of a value stands in its line of the file: quotes and escapes take more room
there than what they mean. Pure."""

import re

_UNITS = {
    "'": re.compile(r"''|."),
    '"': re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|."),
}
"""By quote: what stands for one character."""


def column_in(written: str, text: str, offset: int) -> int:
    """How many characters of `written` stand before the one at `offset` of `text`.

    0, where the value begins, if the one is not told from the other character by character.
    """
    if written == text:
        return offset
    units = _UNITS.get(written[:1])
    if units is None:
        return 0
    columns = [1 + found.start() for found in units.finditer(written[1:-1])]
    return [*columns, len(written) - 1][offset] if len(columns) == len(text) else 0
