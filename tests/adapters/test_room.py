"""A place that is full or forbidden is told by name: what was done there says nothing."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from activities.adapters.hubs import Hubs
from activities.adapters.room import check_room
from activities.adapters.sandbox import Job, Mount, detect
from activities.adapters.workspaces import WorkspacePaths, Workspaces
from activities.contracts.base import BlobRef
from activities.errors import is_storage
from tests.adapters import plain_user

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
ASKS = """
import sys
from pathlib import Path
from activities.adapters.blobs import BlobStore
from activities.adapters.hubs import Hubs
from activities.contracts.base import BlobRef
home, sha256 = Path(sys.argv[1]), sys.argv[2]
ref = BlobRef(migration="m", sha256=sha256, size=4)
for ask in (lambda: BlobStore(home / "blobs", begins=False).get(ref),
            lambda: BlobStore(home / "blobs", begins=False).put("m", b"more"),
            lambda: Hubs(home / "hub", begins=False).of("shop-00000000").refs("refs/")):
    try:
        ask()
        print("done")
    except Exception as error:
        print(type(error).__name__, error)
"""


@contextmanager
def disk(folder: Path, size: str = "4m") -> Iterator[Path]:
    """A small file system, to be filled."""
    folder.mkdir()
    how = ["-t", "tmpfs", "-o", f"size={size},mode=777"]
    subprocess.run(["mount", *how, "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with pytest.raises(OSError, match="No space left"):
        path.write_bytes(b"x" * (8 << 20))
    return path


def test_a_place_with_room_and_one_that_is_not_there_are_nobodys_business(tmp_path: Path) -> None:
    check_room(tmp_path, tmp_path / "nowhere")


@needs_root
async def test_what_a_command_did_on_a_full_disk_is_no_result(tmp_path: Path) -> None:
    sandbox = await detect("strict")
    with disk(tmp_path / "src") as tree:
        job = Job(("bash", "-c", "head -c 8M /dev/zero > big"), (Mount(tree, "/src", True),), {})
        with pytest.raises(OSError, match=f"No space left on device: '{tree}'"):
            await sandbox.run(job)
        (tree / "big").unlink()
        small = Job(("bash", "-c", "echo small > big"), job.mounts, {})
        assert (await sandbox.run(small)).exit == 0
    sandbox.close()


@needs_root
def test_a_file_that_a_full_disk_takes_no_more_is_no_unsafe_path(tmp_path: Path) -> None:
    with disk(tmp_path / "work") as root:
        paths = WorkspacePaths(root=root, tree=root, git_dir=root / "git")
        filler = fill(root)
        with pytest.raises(OSError, match="No space left"):
            Workspaces(root, None, 1).write_files(paths, {"a.py": b"x" * 4096})
        filler.unlink()
        Workspaces(root, None, 1).write_files(paths, {"a.py": b"x" * 4096})


def test_a_plain_user_is_told_what_is_forbidden_and_goes_on_when_it_is_not(tmp_path: Path) -> None:
    plain_user.needed()
    from activities.adapters.blobs import BlobStore

    ref = BlobStore(tmp_path / "blobs").put("m", b"kept")
    Hubs(tmp_path / "hub").begin("shop-00000000")
    places = [tmp_path / "blobs/migration/m", tmp_path / "hub/shop-00000000.git"]
    subprocess.run(["chown", "-R", str(plain_user.UID), tmp_path], check=True)
    for above in tmp_path.parents[:-2]:
        above.chmod(above.stat().st_mode | 0o011)
    for place in places:
        place.chmod(0)
    said = asked(tmp_path, ref)
    assert [line.split()[0] for line in said] == ["PermissionError"] * 3
    assert all(str(place) in line for place, line in zip([places[0], *places], said, strict=True))
    assert all(is_storage(*line.split(" ", 1)) for line in said)
    for place in places:
        place.chmod(0o755)
    assert asked(tmp_path, ref) == ["done"] * 3


def asked(home: Path, ref: BlobRef) -> list[str]:
    """What a plain user's reads and writes come to."""
    command = [*plain_user.PYTHON, "-c", ASKS, str(home), ref.sha256]
    env = plain_user.ENVIRONMENT | {"PATH": os.environ["PATH"]}
    asking = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return asking.stdout.splitlines()
