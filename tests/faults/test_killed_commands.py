"""kill -9 of the worker while it has commands in its hands: every command is applied exactly once,
the audit has it once, and who says it again with the same id is answered as the first time.

A worker that is stopped takes what is sent to it and does nothing about it; killed then, it had
accepted and not answered. What asks the area dies before the area is asked, and after it did what
it was asked.
"""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from activities.contracts.migration import Stage
from cli.asking import Handle
from tests import shop
from tests.adapters.repositories import make_repository
from tests.service import Service, eventually, filled, kill, service, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
SPEC = filled(
    shop.SPEC,
    **{
        "  - codemod: sed -i s/old_name/new_name/ {files}\n": """\
  - command: "[ {task} != c1-0001 ] && sleep 5 && sed -i s/old_name/new_name/ {files}"
approvals: [plan]
environments: {tools: {requires: [sed]}}
"""
    },
)
Commands = dict[str, dict[str, Any]]
BEFORE_WORK: Commands = {
    "steer": {"text": "Mind the gap"},
    "set_limits": {"concurrency": 1, "attempts": 1},
    "pause": {"reason": "not yet"},
    "approve": {},
}
ABOUT_TASKS: Commands = {
    "retry": {"task": "c1-0001"},
    "skip": {"task": "c1-0006"},
    "pause": {"task": "c1-0005"},
    "steer": {"task": "c1-0004", "text": "Mind this"},
}
AT_THE_END: Commands = {"resume": {"task": "c1-0005"}, "cancel": {"reason": "enough"}}


def send(handle: Handle, said: Commands, again: str = "") -> dict[str, asyncio.Task[str]]:
    """All at once; `again` makes them other updates with the same commands."""
    return {
        verb: asyncio.create_task(
            handle.execute_update(
                verb,
                {"actor": "ana", "id": command_id(verb, command), **command},
                id=command_id(verb, command) + again,
                result_type=str,
            )
        )
        for verb, command in said.items()
    }


def command_id(verb: str, command: dict[str, Any]) -> str:
    return f"{verb}-{command.get('task', 'all')}"


async def answers(sent: dict[str, asyncio.Task[str]]) -> dict[str, str]:
    return dict(zip(sent, await asyncio.gather(*sent.values()), strict=True))


async def killed_with(running: Service, handle: Handle, said: Commands) -> None:
    """The worker takes these commands and is killed before it does anything about them."""
    pid = running.workers["all"].pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    sent = send(handle, said)

    async def taken() -> bool:
        described = await handle.describe()
        return described.raw_description.HasField("pending_workflow_task")

    await eventually(taken)
    kill(pid)
    await assert_same_answers(handle, said, await answers(sent))


async def assert_same_answers(handle: Handle, said: Commands, first: dict[str, str]) -> None:
    assert all(": accepted" in answer for answer in first.values())
    assert await answers(send(handle, said)) == first
    assert await answers(send(handle, said, " again")) == first


async def assert_once(running: Service, handle: Handle, name: str, *said: Commands) -> None:
    ids = sorted(command_id(v, c) for commands in said for v, c in commands.items())
    report = running.report(await handle.result())
    assert sorted(decision.id for decision in report.decisions if decision.actor == "ana") == ids
    told = json.loads((await running.starter("audit", name, "--json")).out)["entries"]
    assert sorted(entry["id"] for entry in told if entry["actor"] == "ana") == ids


async def test_every_command_is_applied_once_whenever_its_worker_dies(tmp_path: Path) -> None:
    make_repository(tmp_path / "upstream", {**shop.modules(), "run_checks.py": shop.RUNNER})
    marks = tmp_path / "marks"
    marks.mkdir()
    orders = "crash@before:ask_area,crash@after:ask_area"
    faults = {"WHIMBREL_FAULTS": orders, "WHIMBREL_FAULTS_DIR": str(marks)}
    async with service(tmp_path / "home", **faults) as running:
        both = {
            name: await running.start(SPEC, NAME=name, REPOSITORY=str(tmp_path / "upstream"))
            for name in ("spoken", "unwanted")
        }
        for handle in both.values():
            await until(handle, lambda progress: progress.stage is Stage.APPROVAL)
        reject: Commands = {"reject": {"reason": "no"}}
        await killed_with(running, both["unwanted"], reject)
        handle = both["spoken"]
        await killed_with(running, handle, BEFORE_WORK)
        await handle.execute_update("resume", {"actor": "bob"})
        await until(handle, lambda progress: progress.counts.needs_person == 1)
        first = await answers(send(handle, ABOUT_TASKS))
        await assert_same_answers(handle, ABOUT_TASKS, first)
        assert len(list(marks.iterdir())) == 2
        await killed_with(running, handle, AT_THE_END)
        await assert_once(running, both["unwanted"], "unwanted", reject)
        await assert_once(running, handle, "spoken", BEFORE_WORK, ABOUT_TASKS, AT_THE_END)
