"""What commands may write of an environment: changed by one run, never seen by another."""

import asyncio
import os
import shutil
import stat
import sys
import tempfile
import uuid
from collections.abc import Generator
from pathlib import Path

import pytest

from activities.adapters.jobs import Job, Mount
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.scratch import Scratch
from activities.adapters.writable import WritableFolders
from tests.adapters import plain_user
from tests.adapters.test_sandbox import alive, until

INSIDE = "/env/go/build"
BUILD = f"""\
cd {INSIDE}
stat -c '%n %a %Y' . kept run folder folder/old
cat kept; echo mine > kept; echo more >> folder/old; chmod 700 run
rm gone; rm -r replaced; mkdir replaced; touch replaced/mine
mv folder moved; mkfifo new
ls -R
"""
AGAIN = f"cd {INSIDE}; cat kept moved/old; ls gone replaced 2>&1 || echo 2 > kept"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def prepared(root: Path, sandbox: Sandbox) -> Path:
    folder = root / "a, b:c\\d" / "build"
    for name in ("folder/old", "replaced/old", "kept", "gone", "run"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (folder / "run").chmod(0o755)
    for at in (folder, folder / "folder"):
        os.utime(at, (1_000_000_001, 1_000_000_001))
    sandbox.hand_over(folder)
    return folder


def everything(folder: Path) -> list[tuple[str, int, int, int, float, bytes]]:
    found: list[tuple[str, int, int, int, float, bytes]] = []
    for path in (folder, *sorted(folder.rglob("*"))):
        now = path.lstat()
        text = path.read_bytes() if stat.S_ISREG(now.st_mode) else b""
        found.append((path.name, now.st_mode, now.st_uid, now.st_gid, now.st_mtime, text))
    return found


async def said(sandbox: Sandbox, mounts: tuple[Mount, ...], script: str) -> str:
    ended = await sandbox.run(Job(("bash", "-euc", script), mounts, {}, cwd="/", timeout=60))
    assert ended.exit == 0, ended.output
    return ended.output.decode()


async def a_run(sandbox: Sandbox, folders: WritableFolders, source: Path, scratch: Path) -> str:
    """Two commands of one run, each of which changes what it finds."""
    async with Scratch(scratch).run_folder() as desk:
        mounts = await folders.mounts([(source, INSIDE)], desk / "writable")
        first = await said(sandbox, mounts, BUILD)
        return first + await said(sandbox, mounts, AGAIN)


@pytest.mark.parametrize("overlays", [True, False])
async def test_each_run_finds_it_as_it_was_prepared_and_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path, overlays: bool
) -> None:
    # Without a sandbox there is nothing to mount with: a real host without overlays.
    folders = WritableFolders(sandbox if overlays else Sandbox("none", None))
    source, scratch = prepared(tmp_path, sandbox), tmp_path / "scratch"
    before = everything(source)
    async with Scratch(scratch).run_folder() as desk:
        (mount,) = await folders.mounts([(source, INSIDE)], desk / "writable")
        assert (mount.changes is not None) == overlays
    runs = [await a_run(sandbox, folders, source, scratch) for _ in range(2)]
    at_once = await asyncio.gather(*(a_run(sandbox, folders, source, scratch) for _ in range(4)))
    assert len({*runs, *at_once}) == 1
    assert runs[0].splitlines()[:6] == [
        ". 755 1000000001",
        "kept 644 1000000000",
        "run 755 1000000000",
        "folder 755 1000000001",
        "folder/old 644 1000000000",
        "kept",
    ]
    assert runs[0].splitlines()[-6:] == [
        "mine",
        "folder/old",
        "more",
        "ls: cannot access 'gone': No such file or directory",
        "replaced:",
        "mine",
    ]
    assert everything(source) == before
    assert [path.name for path in scratch.iterdir()] == [".lock"]


WORKER = f"""\
import asyncio, sys
from pathlib import Path
from activities.adapters.sandbox import Job, detect
from activities.adapters.writable import WritableFolders
async def main():
    sandbox = await detect("strict")
    source, desk, script = sys.argv[1:]
    folders = WritableFolders(sandbox)
    (mount,) = await folders.mounts([(Path(source), {INSIDE!r})], Path(desk))
    print(mount.changes is not None, flush=True)
    await sandbox.run(Job(("bash", "-c", script), (mount,), {{}}, cwd={INSIDE!r}))
asyncio.run(main())
"""


@pytest.fixture
def open_to_all() -> Generator[Path]:
    """A folder that every user of the host can enter."""
    folder = Path(tempfile.mkdtemp(prefix="whimbrel-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("user", ["the worker's own", "a plain one"])
async def test_kill_9_of_the_worker_leaves_no_mount_and_no_change(
    sandbox: Sandbox, open_to_all: Path, user: str
) -> None:
    source, command = prepared(open_to_all, sandbox), [sys.executable]
    if user == "a plain one":
        plain_user.needed()
        command = [*plain_user.PYTHON]
        for path in (source, *source.rglob("*")):
            os.chown(path, plain_user.UID, plain_user.UID)
    desk, marker = open_to_all / "desk", f"marker-{uuid.uuid4().hex}"
    desk.mkdir()
    os.chown(desk, source.stat().st_uid, source.stat().st_gid)
    before = everything(source)
    script = (
        f"rm -r gone replaced; echo mine > kept; mkdir replaced; touch done; sleep 600 # {marker}"
    )
    worker = await asyncio.create_subprocess_exec(
        *(*command, "-c", WORKER, source, desk, script),
        env=plain_user.ENVIRONMENT | {"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout
    assert await worker.stdout.readline() == b"True\n", "this kernel mounts overlays for everybody"
    upper = desk / "0" / "upper"
    await until((upper / "done").exists)
    assert mounted(desk), "seen where the command runs"
    assert not mounted(desk, "self")
    worker.kill()
    await worker.wait()
    await until(lambda: not alive(marker))
    await until(lambda: not mounted(desk))
    assert everything(source) == before
    assert (upper / "kept").read_text() == "mine\n"


def mounted(desk: Path, process: str = "[0-9]*") -> bool:
    """Whether a process of this host has something mounted from there."""
    for table in Path("/proc").glob(f"{process}/mountinfo"):
        try:
            if str(desk) in table.read_text():
                return True
        except OSError:
            continue
    return False
