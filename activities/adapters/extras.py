"""Packages that only some workers need: none of them is installed by default."""

import contextlib
from importlib.util import find_spec

INSTALL = (
    "install it with `.venv/bin/python -m pip install --require-hashes -r requirements-extras.txt` "
    "(an image: `--build-arg REQUIREMENTS=requirements-extras.txt`)"
)
"""What to do about one that is missing."""


def is_installed(package: str) -> bool:
    """Whether it could be imported; nothing is."""
    with contextlib.suppress(ModuleNotFoundError):  # its parent is missing
        return find_spec(package) is not None
    return False
