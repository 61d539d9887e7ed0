"""The demo, disturbed: kill -9 of its worker while tasks run, and of its server when something has
landed. It ends as the undisturbed one does. Needs the package registry and some minutes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from activities.contracts.report import MigrationReport
from activities.contracts.repository import repository_id
from tests import invariants
from tests.service import ROOT, environment, service, swept
from tests.traces import assert_nothing_runs

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]
WORKER, SERVER = "worker.py", "start-dev"
NAME = "oauthlib-unittest2pytest"


@dataclass
class Demo:
    """A running `starter.py demo` and what it has said."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list[str])

    async def says(self, words: str) -> None:
        """Returns once it has said this."""
        while words not in (line := await self._line()):
            assert line, f"it ended without {words!r}:\n{self}"

    async def end(self) -> int:
        """Its exit code."""
        while await self._line():
            pass
        return await self.process.wait()

    async def killed(self, which: str) -> None:
        """kill -9 of one of its children; returns once another has taken its place."""
        pid = self._child(which)
        assert pid, f"there is no {which}:\n{self}"
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while self._child(which) in (None, pid):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def _child(self, which: str) -> int | None:
        own = self.process.pid
        for child in Path(f"/proc/{own}/task/{own}/children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_bytes().decode()
            if which in command:
                return int(child)
        return None

    async def _line(self) -> str:
        assert self.process.stdout
        line = (await self.process.stdout.readline()).decode()
        self.said += [line] if line else []
        return line

    def __str__(self) -> str:
        return "".join(self.said[-40:])


@asynccontextmanager
async def running_demo(home: Path) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "starter.py"), "demo"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(home) | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def sound_end(home: Path, demo: Demo, code: int, name: str, **interruptions: int) -> str:
    """The tree that it ended on, when all that must hold of it holds."""
    assert code == 0, str(demo)
    assert_nothing_runs(home)
    report = MigrationReport.model_validate_json((home / "demo" / f"{name}.json").read_bytes())
    assert report.interruptions == interruptions
    assert ("Interrupted" in (home / "demo" / f"{name}.md").read_text()) == bool(interruptions)
    hub = home / "hub" / f"{repository_id(report.repository)}.git"
    invariants.assert_sound_in_git(home, hub, report)
    return invariants.tree(hub, report.tip)


async def test_the_demo_ends_on_the_same_tree_whatever_is_killed(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as undisturbed:
        expected = sound_end(tmp_path, undisturbed, await undisturbed.end(), NAME)
    async with running_demo(tmp_path) as disturbed:
        await disturbed.says(" running: ")
        await disturbed.killed(WORKER)
        await disturbed.says(" landed: ")
        await disturbed.killed(SERVER)
        code = await disturbed.end()
    assert sound_end(tmp_path, disturbed, code, f"{NAME}-2", worker=1, server=1) == expected
    async with service(tmp_path):
        await swept(tmp_path)
