"""Secrets of this worker: what `prepare` of an environment may be given, and nothing else.

A folder with a file per secret, read when it is needed, so that a new value counts at once. A spec
only names them; values are in no contract, and so in no history and no blob.
"""

import base64
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from activities.contracts.environment import SECRET

HIDDEN = b"[secret]"
_SHORTEST = 4
"""Characters of a value that is hidden or looked for: a shorter one is everywhere."""
_CHUNK = 1 << 20


class SecretMissing(Exception):
    """This worker has not got a secret; the text says where it belongs."""


class Secrets:
    """The secrets of one worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def values(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Variable → value, for variable → `secret:NAME`; one line end after it does not count."""
        return {variable: self._value(reference) for variable, reference in wanted.items()}

    def _value(self, reference: str) -> str:
        found = re.fullmatch(SECRET, reference)
        assert found
        file = self._folder / found[1]
        try:
            value = file.read_text().removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissing(
                f"secret {found[1]} is not on this worker: write it to {file} (the folder is "
                "WHIMBREL_SECRETS), readable by the worker alone"
            ) from error
        if len(value) < _SHORTEST or "\0" in value:
            raise SecretMissing(f"{file} holds no secret: it needs {_SHORTEST} characters or more")
        return value


def redacted(text: bytes, secrets: Iterable[str]) -> bytes:
    """The text without the values, however a program may have written them. Before any cutting."""
    for shape in sorted(_shapes(secrets), key=len, reverse=True):
        text = text.replace(shape, HIDDEN)
    return text


def file_with(folder: Path, secrets: Iterable[str]) -> Path | None:
    """A file below the folder that holds one of the values, or is called like it. Blocking."""
    shapes = _shapes(secrets)
    keep = max(map(len, shapes), default=1) - 1
    for above, _, names in os.walk(folder):
        for path in (Path(above, name) for name in names):
            if any(shape in os.fsencode(path.name) for shape in shapes) or _holds(
                path, shapes, keep
            ):
                return path
    return None


def _holds(path: Path, shapes: Iterable[bytes], keep: int) -> bool:
    if path.is_symlink():
        return any(shape in os.fsencode(path.readlink()) for shape in shapes)
    if not path.is_file():
        return False
    rest = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            seen = rest + chunk
            if any(shape in seen for shape in shapes):
                return True
            rest = seen[-keep:] if keep else b""
    return False


def _shapes(secrets: Iterable[str]) -> set[bytes]:
    """A value as it is, each of its lines, as part of a URL, and in base64."""
    shapes: set[bytes] = set()
    for value in secrets:
        lines = {line.strip() for line in value.splitlines()}
        shapes |= {text.encode() for text in {value, *lines} if len(text) >= _SHORTEST}
        shapes |= {quote(value, safe="").encode(), base64.b64encode(value.encode())}
    return shapes
