"""How long work waits that a killed worker was doing: from kill -9 in the middle of a codemod or a
check until the same work is begun again.

The worker is supervised, as everywhere: killed, it is started again. The alternative is Temporal's
own retry and nothing else: one activity that beats as ours do, with the same heartbeat timeout, in
a worker process that is started again just so.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from activities.adapters.children import Child
from activities.adapters.embedded import Embedded
from activities.adapters.settings import Settings
from benchmarks.measuring import Comparison
from benchmarks.retried import QUEUE, Retried
from cli.session import Session
from cli.starting import begin, read_spec
from tests.adapters.repositories import make_repository
from workflows.options import SEARCH_ATTRIBUTES, task_id

ROOT = Path(__file__).parent.parent
STATE_STARTED = 2
MIDDLE = (0.5, 4.0)
"""Seconds into the work at which it is cut off."""
SPEC = """\
version: 1
name: {name}
repository: {upstream}
objective: Resume.
sites: {{include: [/a.txt], find: {{regex: old}}}}
ladder:
  - codemod: {rung}
checks:
  slow: {{run: [/bin/sh, -c, "{check}"]}}
"""
SLOW = "sleep 15"


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """Median against plain retry; and what a person may rely on, in seconds."""
    return asyncio.run(_compare(scratch / "resuming", rounds))


async def _compare(home: Path, rounds: int) -> list[Comparison]:
    moments = random.Random(7)
    make_repository(home / "upstream", {"a.txt": "old\n"})
    ours: list[float] = []
    plain: list[float] = []
    async with _service(home) as (client, worker, bare):
        for number in range(2 * rounds):
            which = "run_rung" if number % 2 else "run_checks"
            handle, name = await _start(client, home, number, which)
            ours.append(await _cut_off(client, task_id(name, "c1-0001", 0), which, worker, moments))
            await handle.terminate()
            waiting = await client.start_workflow(Retried.run, id=f"r{number}", task_queue=QUEUE)
            plain.append(await _cut_off(client, waiting.id, "dawdle", bare, moments))
            await waiting.terminate()
    figure, versus = "work of a killed worker goes on after", "Temporal's retry alone"
    notes = {"samples": len(ours)}
    return [
        Comparison(figure, "s", ours, plain, versus, at_most=1, notes=notes),
        Comparison(f"{figure}, median", "s", ours, [10.0], "what is promised", at_most=1),
        Comparison(f"{figure}, at worst", "s", [max(ours)], [20.0], "what is promised", at_most=1),
    ]


async def _start(
    client: Client, home: Path, number: int, slow: str
) -> tuple[WorkflowHandle[object, object], str]:
    """A migration of one task whose codemod, or whose check, takes its time."""
    name, edit = f"resume-{number}", "sed -i s/old/new/ {files}"
    told = SPEC.format(
        name=name,
        upstream=home / "upstream",
        rung=f"'{SLOW}; {edit}'" if slow == "run_rung" else f"'{edit}'",
        check=f"grep -q old a.txt || {SLOW}" if slow == "run_checks" else "true",
    )
    path = home / f"{name}.yaml"
    path.write_text(told)
    session = Session(client, Settings(home=home), local=False, ui="")
    return await begin(session, read_spec(path)), name


async def _cut_off(
    client: Client, workflow: str, activity: str, worker: Child, moments: random.Random
) -> float:
    """Kills the worker while it does the activity; seconds until somebody does it again."""
    before = await _doing(client, workflow, activity, "")
    await asyncio.sleep(moments.uniform(*MIDDLE))
    pid = worker.pid
    assert pid
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    await _doing(client, workflow, activity, before)
    return time.monotonic() - killed


async def _doing(client: Client, workflow: str, activity: str, but: str) -> str:
    """Returns once an attempt of it runs that is not this one: which it is."""
    async with asyncio.timeout(120):
        while True:
            if (found := await _attempt(client, workflow, activity)) and found != but:
                return found
            await asyncio.sleep(0.05)


async def _attempt(client: Client, workflow: str, activity: str) -> str:
    try:
        described = await client.get_workflow_handle(workflow).describe()
    except RPCError:
        return ""
    for pending in described.raw_description.pending_activities:
        if pending.activity_type.name == activity and pending.state == STATE_STARTED:
            return f"{pending.activity_id}/{pending.attempt}"
    return ""


@asynccontextmanager
async def _service(home: Path) -> AsyncIterator[tuple[Client, Child, Child]]:
    """A server, our worker and one that has nothing but Temporal's retry."""
    embedded = Embedded(home / "state", SEARCH_ATTRIBUTES)
    server = await embedded.start()
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
    env |= {"TEMPORAL_ADDRESS": server.address, "WHIMBREL_HOME": str(home)}
    command = [sys.executable, str(ROOT / "worker.py"), "--role", "all"]
    worker = Child("worker", command, log=home / "worker.log", env=env)
    command = [sys.executable, "-m", "benchmarks.retried", server.address]
    bare = Child("bare", command, log=home / "bare.log", env=env)
    try:
        await worker.start()
        await bare.start()
        yield (
            await Client.connect(server.address, data_converter=pydantic_data_converter),
            worker,
            bare,
        )
    finally:
        await asyncio.gather(worker.stop(grace=5), bare.stop(grace=5))
        await embedded.stop()
