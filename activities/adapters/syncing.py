"""A folder's entries on the disk: what was renamed or made there is there after the power went."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Blocks until the disk has the folder's entries; raises OSError. Harmless twice."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
