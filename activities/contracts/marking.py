"""How text of the repository and of programs is shown to models: as data, between marks that it
cannot close."""

import re

_MARK = re.compile(r"</?\s*data\b", re.IGNORECASE)


def as_data(text: str) -> str:
    """Text that cannot end the marks around it."""
    return _MARK.sub(lambda found: found[0].replace("<", "&lt;"), text)


def in_data(text: str) -> str:
    """The text between its marks."""
    return f"<data>\n{as_data(text)}\n</data>"
