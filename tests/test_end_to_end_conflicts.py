"""Tasks that conflict with what landed meanwhile, from the model's first turn to the report.

The model is told when it may go on, so each conflict is there for certain: what a test waits for
is what has landed, never an amount of time.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from activities.contracts.work import RungOutcome, TaskStatus
from tests import invariants
from tests.adapters.repositories import commit_files, git, make_repository
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Reply, call, said
from tests.service import Service, service, until

SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: Every old_name is called new_name.
sites: {include: ["/app/*.py"], find: {regex: old_name}}
split: file
follow: FOLLOW
ladder: [{claude: {}}]
resolver: {RESOLVER}
checks:
  runs: {run: "for f in app/*.py; do python3 -B -m app.$(basename $f .py); done"}
"""
FINISHED = {"status": "done", "did": "Renamed it.", "verified": "nothing"}


class Mind:
    """Workers that begin together, and of whom all but the first go on when they are told to."""

    def __init__(self, first: str, workers: int) -> None:
        self._first, self._workers = first, workers
        self.may_go_on = asyncio.Event()
        self._all_began = asyncio.Event()
        self.briefs: defaultdict[str, list[str]] = defaultdict(list)
        """By the file of the task: what each of its conversations began with."""

    async def __call__(self, request: Request) -> Reply:
        messages = request.body["messages"]
        brief = messages[0]["content"][0]["text"]
        found = re.search(r"^- app/(\w+)\.py", brief, re.MULTILINE)
        assert found, brief
        name = found[1]
        if len(messages) == 1:
            self.briefs[name].append(brief)
        if len(self.briefs) == self._workers:
            self._all_began.set()
        gate = self._all_began if name == self._first else self.may_go_on
        await asyncio.wait_for(gate.wait(), 60)
        return self.work(name, len(self.briefs[name]), request)

    def work(self, name: str, talk: int, request: Request) -> Reply:
        """The worker of a file, in so many conversations of its task."""
        raise NotImplementedError


def renamed(name: str) -> dict[str, str | bool]:
    return {"path": f"app/{name}.py", "old": "old_name", "new": "new_name", "all": True}


@asynccontextmanager
async def running(tmp_path: Path, mind: Mind) -> AsyncGenerator[Service]:
    """A service whose model this is."""
    async with MessagesApi(mind) as api:
        key = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "k"}
        async with service(tmp_path / "home", **key) as whimbrel:
            yield whimbrel


def content(whimbrel: Service, report: MigrationReport, path: str) -> str:
    return git(whimbrel.hub(report), "show", f"{report.tip}:{path}").decode()


SETTLE = '"cd /conflict; cat landed/both.txt mine/both.txt > /src/both.txt"'
SHARED = {
    "app/first.py": "VERSION = 1\nold_name = 1\n",
    "app/second.py": "old_name = 2\n",
    "app/third.py": "old_name = 3\n",
    "app/caller.py": "from app import first\nold_name = first\n",
    "both.txt": "nobody\n",
    "never.txt": "nobody\n",
}
BEYOND = {"first": ["both.txt", "never.txt"], "second": ["both.txt"], "third": ["never.txt"]}


class Sharing(Mind):
    """Three change files that are nobody's, one after the other; a fourth relies on what the first
    one changes."""

    def work(self, name: str, talk: int, request: Request) -> Reply:
        beyond = BEYOND.get(name, [])
        if beyond and len(request.body["messages"]) == 1:
            return said(call("request_files", paths=beyond, reason="it says who was here"))
        edits = [call("write", path=path, content=f"{name}\n") for path in beyond]
        if name == "first":
            edits.append(call("edit", path="app/first.py", old="VERSION = 1", new="VERSION = 2"))
        if name == "caller" and talk > 1:
            mended = {"path": "app/caller.py", "old": "VERSION == 1", "new": "VERSION == 2"}
            return said(call("edit", **mended), call("finish", **FINISHED))
        edits.append(call("edit", **renamed(name)))
        if name == "caller":
            relied = "new_name = first\nassert first.VERSION == 1"
            edits.append(call("edit", path="app/caller.py", old="new_name = first", new=relied))
        return said(*edits, call("finish", **FINISHED))


async def test_what_a_command_settles_lands_what_it_does_not_is_for_a_person_and_nobody_else_waits(
    tmp_path: Path,
) -> None:
    make_repository(tmp_path / "upstream", SHARED)
    mind = Sharing("first", 4)
    async with running(tmp_path, mind) as whimbrel:
        words = {"NAME": "shared", "FOLLOW": "never", "RESOLVER": f"command: {SETTLE}"}
        handle = await whimbrel.start(SPEC, REPOSITORY=str(tmp_path / "upstream"), **words)
        await until(handle, lambda now: now.counts.landed == 1)
        mind.may_go_on.set()
        report = whimbrel.report(await handle.result())
        told = await whimbrel.starter("report", "shared")
        invariants.assert_sound(whimbrel.home, whimbrel.hub(report), report)
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS, "every site has landed, not every change"
    handoffs = {handoff.files[0]: handoff for handoff in report.handoffs}
    first, third = handoffs["app/first.py"].task, handoffs["app/third.py"].task
    statuses = [handoff.status for handoff in handoffs.values()]
    assert statuses.count(TaskStatus.LANDED) == 3

    settled = handoffs["app/second.py"]
    assert content(whimbrel, report, "both.txt") == "first\nsecond\n"
    assert [(a.kind, a.outcome) for a in settled.attempts] == [
        ("claude", RungOutcome.CHANGED),
        ("resolver command", RungOutcome.CHANGED),
    ]

    unsettled = handoffs["app/third.py"]
    assert content(whimbrel, report, "never.txt") == "first\n"
    assert (unsettled.status, unsettled.files) == (TaskStatus.PARTIAL, ("app/third.py",))
    [back] = unsettled.put_back
    assert back.path == "never.txt"
    assert back.reason == (
        f"{third} conflicts with {first} (app/first.py), which landed meanwhile, and no resolver"
        " settled it"
    )
    assert f"| `{third}` | `never.txt` | {back.reason} |" in told.out

    before, after = mind.briefs["caller"]
    assert "What landed since" not in before
    assert "# What landed since this task was planned" in after
    assert f"- {first} (app/first.py): app/first.py (imported)" in after
    assert "# What is red after the last attempt" in after
    assert content(whimbrel, report, "app/caller.py").endswith("assert first.VERSION == 2\n")


def line(who: str) -> str:
    return f"old_name = '{who}'\n"


class Moving(Mind):
    """One has landed and one is at work when the base changes the files of both."""

    def work(self, name: str, talk: int, request: Request) -> Reply:
        tried = len(request.body["messages"]) // 2
        if "# The conflict to settle" not in self.briefs[name][-1]:
            return said(call("edit", **renamed(name)), call("finish", **FINISHED))
        if tried == 0:
            return said(call("read", path="app/mine.py"))
        assert "<<<<<<<" in str(request.last)
        both = "new_name = 'theirs'\n"
        return said(call("write", path="app/mine.py", content=both), call("finish", **FINISHED))


async def test_a_model_settles_what_conflicts_with_the_base_and_what_the_base_took_is_done_anew(
    tmp_path: Path,
) -> None:
    upstream = tmp_path / "upstream"
    names = ("landed", "mine", "plain")
    make_repository(upstream, {f"app/{name}.py": line(name) for name in names})
    mind = Moving("landed", 3)
    async with running(tmp_path, mind) as whimbrel:
        words = {"NAME": "moved", "FOLLOW": "10s", "RESOLVER": "claude: {}"}
        handle = await whimbrel.start(SPEC, REPOSITORY=str(upstream), **words)
        await until(handle, lambda now: now.counts.landed == 1)
        theirs = {"app/landed.py": line("theirs"), "app/mine.py": line("theirs")}
        head = commit_files(upstream, theirs, message="Theirs\n")
        await until(handle, lambda now: now.stands_on == head)
        mind.may_go_on.set()
        report = whimbrel.report(await handle.result())
        invariants.assert_sound(whimbrel.home, whimbrel.hub(report), report)
    assert report.outcome is Stage.DONE
    [merge] = report.base_merges
    assert (merge.head, merge.taken_anew) == (head, ("app/landed.py",))
    for name, what in (("landed", "theirs"), ("mine", "theirs"), ("plain", "plain")):
        assert content(whimbrel, report, f"app/{name}.py") == f"new_name = '{what}'\n"

    worker, resolver = mind.briefs["mine"]
    assert "Theirs" not in worker
    assert "## Landed meanwhile: Merge 1 commit of the base into whimbrel/moved: Theirs" in resolver
    assert "+old_name = 'theirs'" in resolver
    assert "+new_name = 'mine'" in resolver
    [settled] = [h for h in report.handoffs if h.files == ("app/mine.py",)]
    assert [attempt.kind for attempt in settled.attempts] == ["claude", "resolver claude"]
    again = mind.briefs["landed"][1]
    assert "The base changed app/landed.py" in again, again
    assert "+new_name = 'landed'" in again
    assert "+old_name = 'theirs'" in again
