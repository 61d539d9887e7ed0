"""Texts that come from repositories and tools, as Markdown that they cannot break out of.

Bounded, on one line, and with nothing in them that starts markup.
"""

MAX_TEXT = 400
"""Characters of any one text that came from outside."""


def text(value: str) -> str:
    """Foreign text on one line, bounded, with nothing that Markdown or HTML would act on."""
    line = " ".join(value.split())
    line = line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"
    for sign in "\\`*_[]<>|#":
        line = line.replace(sign, f"\\{sign}")
    return line


def code(value: str) -> str:
    """Foreign text in a code span; it cannot close the span or split a table cell."""
    line = " ".join(value.split()).replace("`", "'").replace("|", "¦")
    return f"`{line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + '…'}`"


def quote(value: str) -> str:
    """Foreign text as a block quote, line by line."""
    return "\n".join(f"> {text(line)}".rstrip() for line in value.strip().splitlines()[:20])
