"""Writes a pack of whole objects and its index, durable before either has its name.

For a few hundred fresh objects this takes a third of the time that a pack builder takes, which
searches for deltas (repacking finds those later, over everything at once). The index goes last,
because git looks at a pack only when its index is there. A pack is named by what is in it, so
writing it twice is harmless. Packs add up, one a batch: tidying.py packs them together, on a
schedule, not in a landing.
"""

import hashlib
import os
import struct
import tempfile
import zlib
from pathlib import Path

from activities.adapters.fault_points import Effect, around
from activities.adapters.syncing import sync_folder

KINDS = {"commit": 1, "tree": 2, "blob": 3}
SMALL = 1 << 31
"""Offsets from here on would need the index's second table."""
MODE = 0o444


class PackWriter:
    """A pack being written; an object given twice is in it once."""

    def __init__(self) -> None:
        self._body = bytearray()
        self._placed: dict[bytes, tuple[int, int]] = {}
        """id → checksum and offset of the entry."""

    def __contains__(self, id: bytes) -> bool:
        return id in self._placed

    def add(self, id: bytes, kind: str, data: bytes) -> None:
        """Adds one object: its raw id, and its bytes without the header they are hashed with."""
        if id in self._placed:
            return
        level = 0 if kind == "tree" else 1  # ids do not get smaller; deltas are for the repacking
        entry = _head(KINDS[kind], len(data)) + deflated(data, level)
        offset = len(self._body) + 12
        if offset >= SMALL:
            raise ValueError("a pack of two gigabytes is no small pack")
        self._placed[id] = zlib.crc32(entry), offset
        self._body += entry

    def write(self, folder: Path) -> None:
        """Puts the pack into `objects/pack`; nothing, when it is empty."""
        if not self._placed:
            return
        pack = struct.pack(">4sII", b"PACK", 2, len(self._placed)) + self._body
        checksum = hashlib.sha1(pack).digest()
        index = self._index(checksum)
        name = f"pack-{checksum.hex()}"
        with around(Effect.PACK):
            _publish(folder / f"{name}.pack", pack + checksum)
        with around(Effect.PACK_INDEX):
            _publish(folder / f"{name}.idx", index + hashlib.sha1(index).digest())
        sync_folder(folder)

    def _index(self, checksum: bytes) -> bytes:
        ids = sorted(self._placed)
        below = [0] * 256
        for id in ids:
            below[id[0]] += 1
        for first in range(1, 256):
            below[first] += below[first - 1]
        checksums, offsets = zip(*(self._placed[id] for id in ids), strict=True)
        numbers = (2, *below)
        table = struct.pack(f">4s{len(numbers)}I", b"\377tOc", *numbers) + b"".join(ids)
        return table + struct.pack(f">{2 * len(ids)}I", *checksums, *offsets) + checksum


def deflated(data: bytes, level: int) -> bytes:
    """A zlib stream. With the default window, most of the time would go into making room for it."""
    stream = zlib.compressobj(level, zlib.DEFLATED, wbits=13, memLevel=6)
    return stream.compress(data) + stream.flush()


def _head(kind: int, size: int) -> bytes:
    """Kind and size, seven bits a byte but four in the first."""
    first, size = kind << 4 | size & 15, size >> 4
    head = bytearray()
    while size:
        head.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    head.append(first)
    return bytes(head)


def _publish(path: Path, data: bytes) -> None:
    descriptor, aside = tempfile.mkstemp(prefix="tmp_", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), MODE)
        file.flush()
        os.fsync(file.fileno())
    Path(aside).replace(path)
