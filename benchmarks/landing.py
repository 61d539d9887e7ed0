"""Landing 1,000 disjoint tasks on trees of 5,000 and 78,000 files, each with two edits and one new
file.

Ours is what the merge queue calls: `compose_batch` (claims, protected paths, keep patterns, merge,
a commit per prefix) and `land`, in batches of 64. It is held against `git merge` one by one in a
checkout, and against the merge engine alone, which makes the same commit a batch with the same
core.fsync and asks nobody whether it may. Every arm lands all 1,000, batch by batch in turn with
the others, and all have to arrive at one tree; on the large tree `git merge`, which takes half a
second for each, lands the first batch alone. The candidates are there before: what `git merge`
would merge from are the same commits.
"""

import os
import shutil
import statistics
import subprocess
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2

from activities.adapters.blobs import BlobStore
from activities.adapters.git import Git
from activities.adapters.hub import Hub
from activities.adapters.hubs import Hubs
from activities.adapters.objects import open_repository
from activities.contracts.base import BlobRef
from activities.contracts.landing import Candidate
from activities.contracts.landing_requests import ComposeBatch, Land
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.spec import MigrationSpec
from activities.integration import IntegrationActivities
from benchmarks.measuring import Comparison, interleave
from benchmarks.repositories import (
    BRANCH,
    WHEN,
    content_of,
    make_candidate,
    make_hub,
    path_of,
)

NAME = "bench"
TASKS, BATCH = 1_000, 64
LEAST_A_SECOND = 150
"""Landings on the large tree."""
REPOSITORY = Repository(url="/bench", id="landing-bench")
KEPT = "refs/whimbrel/host/bench/"
GREEN = GreenBranch(repository=REPOSITORY.id, name="whimbrel/bench", migration=NAME)
SPEC = {
    "version": 1,
    "name": NAME,
    "repository": "/bench",
    "objective": "Measure landing.",
    "protect": ["/secrets/", "*.lock", ".github/"],
    "checks": {"unit": {"run": "true"}},
    "phases": [{"name": "main", "ladder": [{"codemod": "true"}], "keep": [r"= \d+$"]}],
}


@dataclass(frozen=True)
class Shape:
    """A tree, and how much of the work is done on it."""

    files: int
    per_folder: int
    lines: int
    rounds: int
    merged: int = TASKS
    """By `git merge`."""


LARGE = Shape(78_000, 16, 4, rounds=1, merged=BATCH)


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """The comparisons on both trees."""
    small = _compare(scratch / "landing", Shape(5_000, 20, 40, rounds))
    return small + _compare(scratch / "landing-large", LARGE)


def _compare(scratch: Path, shape: Shape) -> list[Comparison]:
    """Against both, from one set of rounds."""
    blobs = BlobStore(scratch / "blobs")
    spec = blobs.put_model(NAME, MigrationSpec.model_validate(SPEC))
    hub, base = make_hub(scratch / "hub", REPOSITORY.id, shape.files, shape.per_folder, shape.lines)
    hub.claim_branch(GREEN, base)
    candidates = [_candidate(hub, base, number, shape) for number in range(TASKS)]
    kept = "".join(f"create {KEPT}{asking.task} {asking.commit}\n" for asking in candidates)
    hub.git.run("update-ref", "--stdin", stdin=kept.encode())
    batches = [candidates[at : at + BATCH] for at in range(0, TASKS, BATCH)]
    trees: set[str] = set()

    def ours(round: int) -> Generator[None]:
        hubs = _copy(scratch, f"ours-{round}")
        yield from _landed(IntegrationActivities(blobs, hubs), spec, base, batches)
        hub = hubs.of(REPOSITORY.id)
        trees.add(hub.tree(hub.tip(GREEN.name)))

    def engine(round: int) -> Generator[None]:
        hub = _copy(scratch, f"engine-{round}").of(REPOSITORY.id)
        yield from _merged(hub, base, batches)
        trees.add(hub.tree(hub.tip(BRANCH)))

    def checkout(round: int) -> Generator[None]:
        tree, hub = scratch / f"checkout-{round}", scratch / "hub" / f"{REPOSITORY.id}.git"
        yield from _merged_in_checkout(hub, tree, batches[: -(-shape.merged // BATCH)])
        if shape.merged == TASKS:
            trees.add(_git(tree, "rev-parse", "HEAD^{tree}"))

    arms = {"ours": ours, "engine": engine, "checkout": checkout}
    taken = interleave(shape.rounds, arms)
    landed = dict.fromkeys(arms, TASKS) | {"checkout": shape.merged}
    each = {arm: [took / landed[arm] * 1000 for took in spent] for arm, spent in taken.items()}
    if len(trees) != 1:
        raise AssertionError(f"the arms did not land the same tree: {sorted(trees)}")
    return _held(each["ours"], each["engine"], each["checkout"], shape)


def _held(
    ours: list[float], engine: list[float], checkout: list[float], shape: Shape
) -> list[Comparison]:
    """Milliseconds a task, and what they are held against."""
    figure = f"landing a task on {shape.files:,} files"
    notes = {"tasks": TASKS, "files": shape.files, "batch": BATCH, "merged": shape.merged}
    git = "git merge in a checkout, git's own defaults"
    bare = "the merge engine alone, same core.fsync"
    found = [
        Comparison(figure, "ms", ours, checkout, git, at_least=30, notes=notes),
        Comparison(figure, "ms", ours, engine, bare, at_most=1.3, notes=notes),
    ]
    if shape == LARGE:
        promised = f"{LEAST_A_SECOND} a second"
        bound = [1000 / LEAST_A_SECOND]
        print(f"landings a second on {shape.files:,} files: {1000 / statistics.median(ours):.0f}")
        found.append(Comparison(figure, "ms", ours, bound, promised, at_most=1, notes=notes))
    return found


def _claims(number: int, shape: Shape) -> tuple[str, str, str]:
    """Two files to edit and one to add, which no other task touches."""
    first, second = (path_of(2 * number + n, shape.per_folder) for n in (0, 1))
    return first, second, f"{first.rpartition('/')[0]}/added{number:04}.py"


def _candidate(hub: Hub, base: str, number: int, shape: Shape) -> Candidate:
    """A task's work: two edits, one new file."""
    claims = _claims(number, shape)
    text = content_of(number, shape.lines).replace("value", "migrated")
    files = {path: f"{text}# {path}\n" for path in claims}
    return make_candidate(hub, base, NAME, number, files, creates=claims[2:])


def _copy(scratch: Path, name: str) -> Hubs:
    """A hub of the round's own: in a used one the objects would be there already."""
    shutil.copytree(scratch / "hub", scratch / name)
    return Hubs(scratch / name)


def _landed(
    activities: IntegrationActivities,
    spec: BlobRef,
    base: str,
    batches: Sequence[Sequence[Candidate]],
) -> Generator[None]:
    yield
    for members in batches:
        batch = activities.compose_batch(
            ComposeBatch(
                repository=REPOSITORY,
                branch=GREEN,
                spec=spec,
                phase="main",
                base=base,
                candidates=tuple(members),
                when=WHEN,
            )
        )
        if batch.refused or batch.landed:
            raise AssertionError(f"not all of the batch was composed: {batch.refused[:3]}")
        activities.land(
            Land(repository=REPOSITORY, branch=GREEN, old=batch.tip, new=batch.prefixes[-1])
        )
        yield


def _merged(hub: Hub, base: str, batches: Sequence[Sequence[Candidate]]) -> Generator[None]:
    """Merge after merge from one process; a commit and a compare-and-swap per batch."""
    git = Git(hub.path)
    words = ("merge-tree", "--write-tree", "--stdin", "-z", "--no-messages")
    repository = open_repository(hub.path)
    who = pygit2.Signature("Bench", "bench@localhost", WHEN, 0)
    tip, tree = base, repository[base].peel(pygit2.Tree).id
    with git.start(*words, stdin=subprocess.PIPE, unbuffered=True) as process:
        yield
        for members in batches:
            for member in members:
                onto = repository.create_commit(None, who, who, "onto\n", tree, [member.base])
                tree = _answer(process, f"{onto} {member.commit}\n")
            above = [tip, *(member.commit for member in members)]
            new = str(repository.create_commit(None, who, who, "batch\n", tree, above))
            git.run("update-ref", f"refs/heads/{BRANCH}", new, tip)
            tip = new
            yield


def _answer(process: "subprocess.Popen[bytes]", request: str) -> pygit2.Oid:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request.encode())
    process.stdin.flush()
    answer = b""
    while not answer.endswith(b"\0\0"):
        answer += os.read(process.stdout.fileno(), 1 << 16)
    clean, name = answer.split(b"\0")[:2]
    if clean != b"1":
        raise AssertionError(f"{request.strip()} conflicts")
    return pygit2.Oid(hex=name.decode())


def _merged_in_checkout(
    hub: Path, tree: Path, batches: Sequence[Sequence[Candidate]]
) -> Generator[None]:
    _git(hub, "clone", "-q", str(hub), str(tree))
    _git(tree, "config", "gc.auto", "0")
    _git(tree, "fetch", "-q", "origin", f"{KEPT}*:refs/candidate/*")
    yield
    for members in batches:
        for candidate in members:
            _git(tree, "merge", "--no-ff", "-m", f"Land {candidate.task}", candidate.commit)
        yield


def _git(where: Path, *words: str) -> str:
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"]
    command = ["git", *who, *words]
    done = subprocess.run(command, cwd=where, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()
