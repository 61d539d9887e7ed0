"""What a worker had started when it was killed: real kill -9, real bubblewrap, and a real guard."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from activities.adapters import orphans
from activities.adapters.orphans import Lifeline
from activities.adapters.sandbox import TOOL_IDS, Job, Mount, Sandbox
from tests.adapters import plain_user
from tests.adapters.test_sandbox import alive, until

AT_ONCE = 30
WORKER = """\
import asyncio, sys
from pathlib import Path
from activities.adapters.sandbox import TOOL_IDS, Job, Mount, Sandbox
home, level, script, commands = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
sandbox = Sandbox(level, TOOL_IDS, home / "lifelines")
job = Job(("bash", "-c", script), (Mount(home / "tree", "/src", True),), {})
async def main():
    print("starting", flush=True)
    await asyncio.gather(*(sandbox.run(job) for _ in range(commands)))
asyncio.run(main())
"""


@pytest.fixture
def home() -> Generator[Path]:
    """Where every user may go, which is not so of pytest's folders."""
    folder = Path(tempfile.mkdtemp(prefix="whimbrel-"))
    (folder / "tree").mkdir()
    folder.chmod(0o755)
    (folder / "tree").chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def worker(
    home: Path, script: str, *, level: str = "strict", commands: int = 1, plain: bool = False
) -> AsyncGenerator[None]:
    """A process that is starting commands, until it is killed at the end."""
    python = plain_user.PYTHON if plain else (sys.executable, "-B")
    process = await asyncio.create_subprocess_exec(
        *(*python, "-c", WORKER, str(home), level, script, str(commands)),
        env=plain_user.ENVIRONMENT | {"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        assert await process.stdout.readline() == b"starting\n"
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.contextmanager
def standing(*words: str) -> Generator[subprocess.Popen[bytes]]:
    """A process with these words on its command line."""
    with subprocess.Popen(["bash", "-c", "read -r line", *words], stdin=subprocess.PIPE) as one:
        yield one
        one.kill()


def lifelines(home: Path) -> set[Path]:
    return set((home / "lifelines").glob("*"))


def marker() -> str:
    return f"marker-{uuid.uuid4().hex}"


@pytest.mark.parametrize("plain", [False, True], ids=["own", "plain"])
async def test_nothing_that_is_just_starting_survives_kill_9_of_its_worker(
    home: Path, plain: bool
) -> None:
    if plain:
        plain_user.needed()
        os.chown(home, plain_user.UID, plain_user.UID)
    moments = random.Random(5)
    for _ in range(3):
        theirs = marker()
        async with worker(home, f"sleep 600 # {theirs}", commands=AT_ONCE, plain=plain):
            await asyncio.sleep(moments.uniform(0, 0.25))
        await until(lambda: not lifelines(home))
        assert alive(theirs) == []


async def test_an_orphan_whose_guard_was_killed_too_is_swept_and_nothing_else_is(
    home: Path,
) -> None:
    living, orphaned = marker(), marker()
    sandbox = Sandbox("strict", TOOL_IDS, home / "lifelines")
    script = f"touch lives; sleep 600 # {living}"
    job = Job(("bash", "-c", script), (Mount(home / "tree", "/src", True),), {})
    running = asyncio.create_task(sandbox.run(job))
    await until((home / "tree/lives").exists)
    (own,) = lifelines(home)
    script = f"touch started; setsid sleep 600 & sleep 600 # {orphaned}"
    async with worker(home, script, level="none"):
        await until((home / "tree/started").exists)
        (theirs,) = lifelines(home) - {own}
        for guard in alive(str(theirs)):
            os.kill(guard, signal.SIGKILL)
        assert orphans.sweep(home / "lifelines") == []
    mark = f"{theirs}:1"
    with (
        standing("--setenv", orphans.VARIABLE, mark) as forged,
        standing(f"{orphans.VARIABLE}={mark}") as of_a_person,
    ):
        assert alive(orphaned)
        assert await asyncio.to_thread(orphans.sweep, home / "lifelines") == [theirs]
        assert alive(orphaned) == []
        assert forged.wait() == -signal.SIGKILL
        assert of_a_person.poll() is None
    assert alive(living)
    running.cancel()
    await asyncio.wait([running])
    sandbox.close()
    assert lifelines(home) == set()


async def test_a_guard_that_died_is_replaced(tmp_path: Path) -> None:
    lifeline = Lifeline(tmp_path)
    await until(lambda: len(alive(str(lifeline.path))) == 1)
    (guard,) = alive(str(lifeline.path))
    os.kill(guard, signal.SIGKILL)
    await until(lambda: not alive(str(lifeline.path)))
    lifeline.mark()
    await until(lambda: len(alive(str(lifeline.path))) == 1)
    lifeline.close()
    assert alive(str(lifeline.path)) == []
    assert not lifeline.path.exists()


async def test_a_guard_outlives_what_ends_the_workers_group(tmp_path: Path) -> None:
    lifeline = Lifeline(tmp_path)
    await until(lambda: len(alive(str(lifeline.path))) == 1)
    (guard,) = alive(str(lifeline.path))
    assert os.getsid(guard) == guard
    # The signals that a stopping service or a closing terminal sends to everybody.
    await until(lambda: _ignored(guard) >= {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    lifeline.close()


def _ignored(process: int) -> set[int]:
    status = Path(f"/proc/{process}/status").read_text()
    mask = int(status.split("SigIgn:")[1].split()[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}
