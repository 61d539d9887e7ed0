"""How paths of a repository, which are bytes, are spelled in contracts, which are text."""

import os
import re


def name_of(path: bytes) -> str:
    """How contracts spell a path: as text; one that is not UTF-8 as git does, `"caf\\351.py"`."""
    try:
        return path.decode()
    except UnicodeDecodeError:
        plain = b"".join(
            bytes([b]) if 32 <= b < 127 and b not in b'"\\' else b"\\%03o" % b for b in path
        )
        return f'"{plain.decode()}"'


def path_of(name: str) -> bytes:
    """The bytes that `name_of` spelled so; surrogate escapes are understood too."""
    if len(name) > 2 and name[0] == name[-1] == '"':
        octal = re.compile(rb"\\([0-3][0-7]{2})")
        path = octal.sub(lambda found: bytes([int(found[1], 8)]), os.fsencode(name[1:-1]))
        if name_of(path) == name:
            return path
    return os.fsencode(name)
