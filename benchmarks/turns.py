"""What an agent's turn costs the engine, over a bare loop of the same two activities.

A real area with one task of one conversation of 100 turns, against a workflow that calls the same
activities with the same arguments: same server, same worker process, alternating. The figures are
CPU time of server and worker, and the task's history, by events and by bytes as the server counts.
"""

import asyncio
from pathlib import Path

from temporalio.client import Client

from activities.contracts.work import Workspace
from benchmarks.bare_loop import TURNS, BareLoop
from benchmarks.measuring import Comparison
from benchmarks.no_op_worker import COMMIT, HOST_QUEUE, THINKS
from benchmarks.orchestration import cpu_seconds, migrate, service
from workflows.options import CONTROL, task_id

MOST_EVENTS = 1_300
MOST_BYTES = 250 * 1024
WORKSPACE = Workspace(
    migration="turns-0",
    repository="bench-00000000",
    task="c1-0000",
    attempt="0-1-0",
    host="bench",
    queue=HOST_QUEUE,
    base=COMMIT,
    start=COMMIT,
)


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """What a turn costs, and how long a conversation's history is."""
    return asyncio.run(_compare(scratch, rounds))


async def _compare(scratch: Path, rounds: int) -> list[Comparison]:
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    lengths: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    arms = {"ours": _ours, "bare": _bare}
    async with service(scratch / "turns") as (client, pids):
        for name, arm in arms.items():
            await arm(client, f"{name}-warm")
        for number in range(rounds):
            for name in list(arms) if number % 2 == 0 else list(reversed(arms)):
                before = sum(map(cpu_seconds, pids))
                lengths[name].append(await arms[name](client, f"{name}-{number}"))
                used = sum(map(cpu_seconds, pids)) - before
                taken[name].append(used / TURNS * 1000)
    events, sizes = ([length[i] for length in lengths["ours"]] for i in (0, 1))
    bare_events, bare_sizes = ([length[i] for length in lengths["bare"]] for i in (0, 1))
    loop, notes = "a bare loop of the same activities", {"turns": TURNS}
    turn, task = "a turn (CPU of server and worker)", f"history of a task of {TURNS} turns"
    return [
        Comparison(turn, "ms", taken["ours"], taken["bare"], loop, at_most=1.5, notes=notes),
        Comparison(task, "events", events, bare_events, loop, at_most=1.5, notes=notes),
        Comparison(task, "bytes", sizes, bare_sizes, loop, at_most=1.5, notes=notes),
        Comparison(task, "events", events, [MOST_EVENTS], "so many", at_most=1, notes=notes),
        Comparison(task, "bytes", sizes, [MOST_BYTES], "250 KiB", at_most=1, notes=notes),
    ]


async def _ours(client: Client, name: str) -> tuple[float, float]:
    await migrate(client, name, 1, THINKS)
    return await _length(client, task_id(name, "c1-0000", 0))


async def _bare(client: Client, name: str) -> tuple[float, float]:
    id = f"bare-loop/{name}"
    await client.execute_workflow(BareLoop.run, WORKSPACE, id=id, task_queue=CONTROL)
    return await _length(client, id)


async def _length(client: Client, id: str) -> tuple[float, float]:
    """Events and bytes of a workflow's history, as its server counts them."""
    info = (await client.get_workflow_handle(id).describe()).raw_description
    facts = info.workflow_execution_info
    return facts.history_length, facts.history_size_bytes
