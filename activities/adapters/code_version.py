"""Which code a worker runs: a digest of the rooms it loads, the same for equal checkouts.

Two workers whose code differs have different ones, however they were installed, so a deployment
that names no build of its own cannot mistake new code for old.
"""

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("activities", "roles", "workflows")
LENGTH = 12


def code_version(root: Path = ROOT) -> str:
    """The first 12 hex digits of a sha256 over worker.py and its rooms."""
    digest = hashlib.sha256()
    sources = [root / "worker.py", *(p for room in ROOMS for p in (root / room).rglob("*.py"))]
    for path in sorted(sources):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:LENGTH]


@cache
def own_code() -> str:
    """This process's own, as it is on disk when it is first asked for."""
    return code_version()
