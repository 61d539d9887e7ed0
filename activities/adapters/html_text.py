"""Texts that come from repositories and tools, as a person may safely see them on a page, or in a
terminal, which would obey some of them.

The template escapes markup; this is about what escaping leaves: length, terminal colours, and
characters that are invisible or turn the direction of what follows, which are spelled out.
"""

import re
from datetime import UTC, datetime

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def line(value: object, limit: int = 400) -> str:
    """A foreign text on one line, bounded."""
    whole = visible(" ".join(str(value)[: 4 * limit].split()))
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def output(value: str, limit: int) -> str:
    """The end of what a command printed, line by line, bounded."""
    plain = _COLOURS.sub("", value).strip()[-2 * limit :]
    kept = "\n".join(map(visible, plain.splitlines()))
    return kept if len(kept) <= limit else "…" + kept[len(kept) - limit + 1 :]


def lines(value: str) -> str:
    """The whole text, line by line, without colours."""
    if value.replace("\n", "").isprintable():
        return value
    return "\n".join(map(visible, _COLOURS.sub("", value).split("\n")))


def visible(value: str) -> str:
    """The text with what cannot be seen spelled as `\\x1b` or `\\u202e`."""
    if value.isprintable():
        return value
    return "".join(s if s.isprintable() or s == "\t" else repr(s)[1:-1] for s in value)


def moment(value: str) -> str:
    """`2026-01-31 09:05 UTC`; what is no time stays as it is."""
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return line(value, 40)
    return f"{read.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if read.tzinfo else line(value, 40)


def words(value: str) -> str:
    """`needs_person` as people say it."""
    return value.replace("_", " ")
