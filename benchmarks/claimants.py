"""1,000 tasks from 20 claimants at once on one repository, from the plan to the green branch.

The whole service: embedded server, one worker process, real git, the codemod in its sandbox. Each
task edits a file of its own and adds a line at the end of one of forty that all share, so that any
two that work on the same one from the same base conflict. Twenty of them always work; those that
share a file are ordered by the plan, as every plan has to.

How long a candidate waits is read from the merge queue's own history: from when it asked until the
branch moved. Beside it: how many of the same changes conflict when twenty claimants take whatever
comes next and merge when they are done.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pygit2

from activities.adapters.merging import MergeEngine
from activities.adapters.objects import Objects, open_repository
from activities.adapters.settings import Settings
from activities.adapters.trees import Entry, Folder
from activities.contracts.landing import Outcome
from activities.contracts.plan import Plan, Task
from activities.contracts.report import MigrationReport
from activities.contracts.repository import repository_id
from benchmarks.measuring import Comparison
from benchmarks.queue_history import Told, read
from cli.plan_files import with_first_plan
from cli.session import Session
from cli.starting import begin, read_spec
from tests.adapters.repositories import Content, Name, git, make_repository
from tests.service import Service, service
from workflows.options import queue_id

NAME = "claimants"
TASKS, CLAIMANTS, SHARED = 1_000, 20, 40
CONFLICTS = 0.02
"""The share of the tasks that may conflict."""
LONGEST = 10.0
"""How many times the median wait the longest may be: nobody starves."""
SHARES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
SPEC = """\
version: 1
name: claimants
repository: {upstream}
objective: Many at once.
sites: {{include: ["/src/**/*.py"], find: {{regex: old}}}}
ladder:
  - codemod: [sed, -i, -e, s/old/new/, -e, "$a {{task}}", "{{files}}"]
checks:
  tells-all: {{run: "true", at: [landing]}}
limits: {{concurrency: {claimants}}}
"""


def compare(scratch: Path, _: int) -> list[Comparison]:
    """One run of all tasks."""
    return asyncio.run(_compare(scratch))


async def _compare(home: Path) -> list[Comparison]:
    make_repository(home / "upstream", _files())
    began = time.monotonic()
    async with service(home / "state", WHIMBREL_WORKSPACES_PER_HOST=str(CLAIMANTS)) as running:
        report = await _migrated(running, home)
        took = time.monotonic() - began
        queue = queue_id(repository_id(report.repository), report.branch)
        told = await read(running.client, queue, report.base)
        unmanaged = _conflicts_unmanaged(running.hub(report), report.base)
    if len(told.landed) != TASKS or report.sites_left:
        raise AssertionError(f"{len(told.landed)} tasks landed: {report.reason}")
    return _held(told, unmanaged, took)


def _plan() -> list[Task]:
    """Who claims what: a file of their own and one that they share, seeded."""
    chosen, last, tasks = random.Random(6), dict[str, str](), list[Task]()
    for number in range(TASKS):
        task, shared = f"c1-{number:04}", f"shared/list{chosen.randrange(SHARED):02}.txt"
        needs = (last[shared],) if shared in last else ()
        claims = (f"src/part{number // 20:02}/file{number:04}.py", shared)
        tasks.append(Task(id=task, title="One more", claims=claims, needs=needs, sites=1))
        last[shared] = task
    return tasks


def _files() -> dict[Name, Content]:
    shared: dict[Name, Content] = {
        f"shared/list{number:02}.txt": b"first\nlast\n" for number in range(SHARED)
    }
    own = {task.claims[0]: f"value = 'old'  # {task.id}\n".encode() for task in _plan()}
    return shared | own


async def _migrated(running: Service, home: Path) -> MigrationReport:
    """The migration with the plan above, through the door that people use."""
    path, saved = home / "spec.yaml", home / "plan.json"
    path.write_text(SPEC.format(upstream=home / "upstream", claimants=CLAIMANTS))
    spec = read_spec(path)
    base = git(home / "upstream", "rev-parse", "HEAD").decode().strip()
    plan = Plan(
        migration=NAME,
        spec_digest=spec.plan_digest,
        base=base,
        phase=spec.phases[0].name,
        cycle=1,
        tasks=tuple(_plan()),
    )
    saved.write_text(plan.model_dump_json())
    session = Session(running.client, Settings(home=running.home), local=False, ui="")
    handle = await begin(session, with_first_plan(spec, saved, path))
    return running.report(await handle.result())


def _conflicts_unmanaged(hub: Path, base: str) -> int:
    """How many of the same changes conflict, when every twenty start where the branch is just then
    and merge one after the other; one that conflicts is done again at the end, which is not
    counted."""
    objects, conflicts, tip = Objects(hub), 0, base
    with MergeEngine(hub) as engine:
        tasks = _plan()
        for at in range(0, TASKS, CLAIMANTS):
            start = tip
            for task in tasks[at : at + CLAIMANTS]:
                change = objects.write_commit(_edited(hub, start, task), [start], "work\n", 0)
                merged = engine.merge(tip, change, tip)
                conflicts += merged.tree is None
                tree = merged.tree or _edited(hub, tip, task)
                tip = objects.write_commit(tree, [tip, change], "merge\n", 0)
    return conflicts


def _edited(hub: Path, commit: str, task: Task) -> str:
    """The tree of the commit with a task's work in it."""
    repository = open_repository(hub)
    root = Folder.of(repository, repository[commit].peel(pygit2.Tree))
    for path in task.claims:
        parts = path.encode().split(b"/")
        found = root.find(parts)
        assert found
        text = repository[found.id].peel(pygit2.Blob).data.replace(b"old", b"new")
        blob = repository.create_blob(text + f"{task.id}\n".encode())
        root.put(parts, Entry(0o100644, blob))
    return str(root.write())


def _held(told: Told, unmanaged: int, took: float) -> list[Comparison]:
    """What is printed, and what has to hold."""
    conflicts = sum(Outcome.CONFLICT in outcomes for outcomes in told.bounced.values())
    waits = sorted(map(told.wait, told.landed))
    passed = sorted(map(told.passed_over, told.landed))
    print(
        f"{TASKS:,} tasks from {CLAIMANTS} claimants in {took:.0f} s, {len(told.batches)} batches; "
        f"conflicts: {conflicts}, unmanaged {unmanaged}\n"
        f"in the queue, seconds: {_shares(waits, '.2f')}\n"
        f"batches that landed meanwhile without it: {_shares(passed, 'g')}"
    )
    _print_longest(told)
    notes = {"tasks": TASKS, "claimants": CLAIMANTS, "seconds": round(took)}
    notes |= {name: _share(waits, share) for name, share in SHARES}
    return [
        Comparison(
            f"conflicts of {TASKS:,} tasks from {CLAIMANTS} claimants",
            "tasks",
            [conflicts],
            [CONFLICTS * TASKS],
            f"{CONFLICTS:.0%} of them",
            at_most=1,
            notes=notes | {"unmanaged": unmanaged},
        ),
        Comparison(
            "batches that land without somebody who waits, at most",
            "batches",
            [passed[-1]],
            [2],
            "the one at hand when it asks, and one more",
            at_most=1,
            notes=notes,
        ),
        Comparison(
            "the longest wait in the queue",
            "s",
            [waits[-1]],
            [statistics.median(waits)],
            "the median",
            at_most=LONGEST,
            notes=notes,
        ),
    ]


def _print_longest(told: Told) -> None:
    """Who waited longest, and what the queue did meanwhile: a fault of its own would be seen."""
    last = max(told.landed, key=told.wait)
    gaps = [then - at for at, then in pairwise(sorted(told.batches))]
    spent = ", ".join(f"{name} {took:.2f}" for name, took in told.meanwhile(last).items())
    trouble = ", ".join(f"{many} {kind}" for kind, many in told.trouble.items()) or "none"
    print(
        f"the longest wait was {last}'s, {told.wait(last):.2f} s: {spent}; "
        f"{told.passed_over(last)} batches landed without it\n"
        f"the longest time between two landings: {max(gaps):.2f} s; trouble: {trouble}"
    )


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _shares(ordered: Sequence[float], form: str) -> str:
    return ", ".join(f"{name} {_share(ordered, share):{form}}" for name, share in SHARES)
