"""A repository in memory, and what a test says will happen to it.

Commits are content-addressed, so the same step done twice gives the same commit, as in git. What a
file says decides what checks find; a test only chooses contents:

    old              a site
    bad…             red, the result names the file          worse…         red, names nothing
    landing-bad…     red at landing only, names the file     landing-worse… the same, names nothing
    deep-bad…        red behind the landings only
    flaky…           red until it is asked afresh            damaged…       the harvest finds damage
    forbidden…       refused by the gate
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from temporalio import activity

from activities.contracts.conflict import Conflict, LandedChange
from activities.contracts.evidence import Moment
from activities.contracts.file_requests import FileRequest
from activities.contracts.moving_base import BaseSeen
from activities.contracts.plan import Task
from activities.contracts.pushes import Push
from activities.contracts.survey import Unsearched
from activities.contracts.work_requests import Rework

Tree = dict[str, str]
Rung = Callable[[Tree, Task, int], int | str | None]
"""Edits the tree; returns an exit code (None: 0) or how else it ended. The int counts its runs."""

Mind = Callable[[int], Tree | str]
"""What an agent does in a turn (counting from 1): edits as in `write`, `migrates` (what it claims),
`done`, `cannot`, `talks`, `?path` to ask for a file; any other word is a call that changes nothing.
"""

OLD = "old"


def rewrite(content: str = "new") -> Rung:
    """A rung that turns every claimed site into `content`."""

    def run(tree: Tree, task: Task, _: int) -> None:
        tree.update({path: content for path in task.claims if tree.get(path) == OLD})

    return run


def write(**files: str) -> Rung:
    """A rung that writes these contents; `a` stands for `a.py`."""

    def run(tree: Tree, task: Task, _: int) -> None:
        tree.update({f"{name}.py": content for name, content in files.items()})

    return run


def fail(exit: int | str = 1, **files: str) -> Rung:
    """A rung that ends like this after writing these files."""

    def run(tree: Tree, task: Task, count: int) -> int | str:
        write(**files)(tree, task, count)
        return exit

    return run


@dataclass(frozen=True)
class Commit:
    """A tree, its parents, and the tasks whose trailers it carries."""

    tree: Mapping[str, str]
    parents: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    message: str = ""
    head: str = ""
    """The head of the base that it merges."""


@dataclass
class Gate:
    """Holds an activity until a test opens it; `reached` says that somebody waits."""

    task: str | None
    deaf: bool = False
    """Whoever waits does not hear of a cancellation."""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self) -> None:
        self.opened.set()

    async def wait(self) -> None:
        """Beats while it waits, so that a cancellation arrives; where it is deaf, none does."""
        self.reached.set()
        if self.deaf:
            await self.opened.wait()
        while not self.opened.is_set():
            activity.heartbeat()
            try:
                await asyncio.wait_for(self.opened.wait(), 0.05)
            except TimeoutError:
                continue


class World:
    """One migration's repository, the script of its rungs, and the log of what was asked."""

    def __init__(self, name: str, files: Tree) -> None:
        self.name = name
        self.commits: dict[str, Commit] = {}
        self.base = self.commit(files, (), "base")
        self.tip = self.base
        self.pushed: Push | None = None
        """What somebody else made of the green branch."""
        self.upstream: str | BaseSeen = self.base
        """Upstream's head, or why it cannot be read."""
        self.deep: str | None = None
        """Where the branch beside the green one is."""
        self.rungs: list[Rung] = [rewrite()]
        self.resolver: Rung = rewrite()
        self.mind: Mind = lambda turn: "done"
        self.per_task: dict[str, Rung] = {}
        """task → what its first rung does instead."""
        self.touches: dict[str, Tree] = defaultdict(dict)
        """task → tracked files outside its claim that its rungs edit."""
        self.asks: dict[str, list[list[FileRequest]]] = defaultdict(list)
        """task → what its next runs ask for."""
        self.needs: dict[str, tuple[str, ...]] = {}
        """task → what the plan says it needs."""
        self.areas: dict[str, str] = {}
        """task → the area that the plan has it in."""
        self.caps: dict[str, Decimal] = {}
        """area → what the plan says that it may cost."""
        self.unplaced: tuple[str, ...] = ()
        """Red results that surveys find and that name no file."""
        self.unsearched: dict[str, Unsearched] = {}
        """phase → what its surveys do not look into."""
        self.blind: tuple[str, ...] = ()
        """Checks that are red as a whole on the base."""
        self.workspaces: dict[tuple[str, str], Tree] = {}
        self.opened: list[str] = []
        """Names of the attempts, in order."""
        self.calls: list[tuple[str, Any]] = []
        self.sites_of: dict[str, tuple[str, ...]] = {}
        """phase → the files it is about; left out: all."""
        self.failures: dict[str, list[BaseException]] = defaultdict(list)
        """activity → what its next calls raise."""
        self._gates: dict[str, list[Gate]] = defaultdict(list)
        self._news = asyncio.Condition()

    # The script.

    def hold(self, name: str, task: str | None = None, *, deaf: bool = False) -> Gate:
        """Holds an activity (of one task) until the gate is opened."""
        gate = Gate(task, deaf)
        self._gates[name].append(gate)
        return gate

    async def passing(self, name: str, request: Any) -> None:
        """Called by every activity: logs, then raises or waits as the script says."""
        self.calls.append((name, request))
        async with self._news:
            self._news.notify_all()
        if self.failures[name]:
            raise self.failures[name].pop(0)
        for gate in self._gates[name]:
            if gate.task is None or gate.task == task_of(request):
                await gate.wait()

    def asked(self, name: str) -> list[Any]:
        """The requests an activity got."""
        return [request for called, request in self.calls if called == name]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something is true of what was asked."""
        async with self._news:
            await self._news.wait_for(holds)

    # The repository.

    def commit(
        self,
        tree: Mapping[str, str],
        parents: Sequence[str],
        message: str,
        tasks: Sequence[str] = (),
        head: str = "",
    ) -> str:
        commit = Commit(dict(sorted(tree.items())), tuple(parents), tuple(tasks), message, head)
        id = hashlib.sha1(repr(commit).encode()).hexdigest()
        self.commits[id] = commit
        return id

    def tree(self, commit: str) -> Tree:
        return dict(self.commits[commit].tree)

    def tree_id(self, commit: str) -> str:
        return hashlib.sha1(repr(sorted(self.tree(commit).items())).encode()).hexdigest()

    def land_foreign(self, **files: str) -> None:
        """The green branch moves without this migration's doing."""
        changed = {f"{name}.py": content for name, content in files.items()}
        self.tip = self.commit({**self.tree(self.tip), **changed}, (self.tip,), "foreign")

    def push(self, rewritten: bool = False, **files: str) -> str:
        """Somebody pushes these contents to the green branch; its new commit."""
        changed = {f"{name}.py": content for name, content in files.items()}
        head = self.commit({**self.tree(self.tip), **changed}, (self.tip,), f"push {changed}")
        told = f"{head[:12]} by Ana <ana@desk>: by hand"
        self.pushed = Push(ours=self.tip, head=head, rewritten=rewritten, commits=1, told=told)
        return head

    def move_base(self, onto: str = "", **files: str) -> str:
        """Upstream goes on with these contents, or is rewritten `onto` another commit."""
        at = onto or self.upstream
        tree = {**self.tree(at), **{f"{name}.py": content for name, content in files.items()}}
        self.upstream = self.commit(tree, (at,), "upstream")
        return self.upstream

    def history(self, commit: str) -> set[str]:
        """A commit and all that it goes on from."""
        found, left = set[str](), [commit]
        while left:
            at = left.pop()
            found.add(at)
            left += self.commits[at].parents
        return found

    def stands_on(self, commit: str) -> str:
        """The head of the base that a green commit has in it."""
        while commit != self.base and not self.commits[commit].head:
            commit = self.commits[commit].parents[0]
        return self.commits[commit].head or self.base

    @property
    def green(self) -> Tree:
        """What the green branch holds."""
        return self.tree(self.tip)

    def chain(self) -> list[str]:
        """The green branch's commits after the base, oldest first."""
        found: list[str] = []
        at = self.tip
        while at != self.base:
            found.append(at)
            at = self.commits[at].parents[0]
        return found[::-1]

    def landed(self) -> dict[str, str]:
        """Task id → commit, from the trailers."""
        return {task: commit for commit in self.chain() for task in self.commits[commit].tasks}

    def merge(self, ours: str, base: str, theirs: str) -> tuple[Tree | None, tuple[str, ...]]:
        """`theirs` since `base` carried onto `ours`, or the paths that conflict."""
        onto, old, new = self.tree(ours), self.tree(base), self.tree(theirs)
        changed = sorted(p for p in {*old, *new} if old.get(p) != new.get(p))
        conflicts = tuple(p for p in changed if onto.get(p) not in (old.get(p), new.get(p)))
        return (None if conflicts else {**onto, **{p: new[p] for p in changed}}), conflicts

    def conflict(self, asked: Rework, paths: tuple[str, ...]) -> Conflict:
        """The merge as git leaves it, and who landed on the paths meanwhile."""
        theirs, ours = self.tree(asked.commit), self.tree(asked.new_base)
        marked = {path: f"<<<{ours.get(path)}|{theirs.get(path)}>>>" for path in paths}
        changed = {p: c for p, c in theirs.items() if c != self.tree(asked.old_base).get(p)}
        tree = {**ours, **changed, **marked}
        landed = [self.commits[at] for at in self.chain()]
        return Conflict(
            merged=self.commit(tree, (asked.new_base, asked.commit), "as git left it"),
            base=asked.old_base,
            work=asked.commit,
            tip=asked.new_base,
            paths=paths,
            landed=tuple(
                LandedChange(task=task, title=f"change {task}", paths=paths)
                for commit in landed
                for task in commit.tasks
            ),
        )

    def reds(
        self, commit: str, moment: Moment, fresh: int, *, deep: bool = False
    ) -> list[tuple[str, str | None]]:
        """(reason, file named) for everything that checks find in a tree."""
        found: list[tuple[str, str | None]] = []
        for path, content in self.tree(commit).items():
            said = content.removeprefix("landing-") if moment is Moment.LANDING else content
            said = said.removeprefix("deep-") if deep else said
            if said.startswith("bad") or (said.startswith("flaky") and not fresh):
                found.append((f"newly failing: {path}", path))
            elif said.startswith("worse"):
                found.append((f"newly failing: something, since {path}", None))
        return found


def task_of(request: Any) -> str:
    """The task a request is about; empty when it is about none."""
    about = getattr(request, "workspace", request)
    task = getattr(about, "task", "")
    return getattr(task, "id", task)
