"""Whether a file system still takes what is written to it: what was done on a full one says nothing
about who did it."""

import errno
import os
from pathlib import Path

FULL = 1 << 20
"""Bytes free below which nothing is believed to have been written whole."""
TROUBLE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE))


def check_room(*places: Path) -> None:
    """Raises OSError for the first place on a full file system; one that is not there is nobody's.

    Of a quota nothing is known here: who meets its end is told so by the system.
    """
    for place in places:
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        room, files = found.f_bavail * found.f_frsize, found.f_favail
        if (found.f_blocks and room < FULL) or (found.f_files and not files):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))


def is_trouble(error: OSError) -> bool:
    """Whether the storage said no, whatever was asked of it."""
    return error.errno in TROUBLE
