"""What landed between two commits of the green branch, task by task. Read from git alone.

A batch's parents after the first are its candidates, in the order of its trailers, so each task has
a difference of its own. A commit of the chain that carries none of them came from outside: of a
merge of the base it is told which of the base's commits changed the paths in question.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from activities.adapters.chain import tasks_of
from activities.adapters.composing import one_line
from activities.adapters.objects import Objects
from activities.contracts.conflict import LandedChange

LOOKED_AT = 500
"""Changes, the newest first: each costs the difference of two trees."""
TOLD = 20
PATHS = 20
SUBJECTS = 3
"""Of a merge's commits, the newest."""
_SUBJECT_ID = re.compile(r"^\S+: ")


def landed_since(
    objects: Objects, base: str, tip: str, migration: str, wanted: "Callable[[str, str], bool]"
) -> tuple[LandedChange, ...]:
    """Changes with a path that is wanted (asked with task and path), newest first; the first few.

    `base` lies on the first-parent chain of `tip`.
    """
    found: list[LandedChange] = []
    for number, (task, before, after) in enumerate(_changes(objects, base, tip, migration)):
        if number >= LOOKED_AT or len(found) >= TOLD:
            break
        paths = [e.path for e in objects.diff(before, after) if wanted(task, e.path)]
        if paths:
            more = max(0, len(paths) - PATHS)
            kept = tuple(paths[:PATHS])
            title = _title(objects, task, before, after, kept)
            found.append(LandedChange(task=task, title=title, paths=kept, more=more))
    return tuple(found)


def _title(objects: Objects, task: str, before: str, after: str, paths: Collection[str]) -> str:
    """A task's title; of what came from outside its subject, and those of the commits that it
    merged: what their authors wanted."""
    subject = objects.message(after).partition("\n")[0]
    if task:
        return _SUBJECT_ID.sub("", one_line(subject))
    merged = objects.parents(after)[1:]
    subjects = _subjects(objects, before, merged, paths) if merged else []
    more = [f"and {len(subjects) - SUBJECTS} more"] if len(subjects) > SUBJECTS else []
    told = "; ".join([*subjects[:SUBJECTS], *more])
    return one_line(f"{subject}: {told}" if told else subject)


def _subjects(
    objects: Objects, before: str, merged: Iterable[str], paths: Iterable[str]
) -> list[str]:
    """Of the commits that a merge brought and that changed these paths, newest first."""
    words = ("--literal-pathspecs", "rev-list", "--no-merges", "--no-commit-header")
    listed = objects.git.run(*words, "--format=%s", *merged, f"^{before}", "--", *paths)
    return listed.decode("utf-8", "replace").splitlines()


def on_paths(paths: Collection[str]) -> Callable[[str, str], bool]:
    """Wants what is on some of these paths, whoever landed it."""
    return lambda _, path: path in paths


def _changes(
    objects: Objects, base: str, tip: str, migration: str
) -> Iterator[tuple[str, str, str]]:
    """Task (or nothing), and the commits before and after its change."""
    at = tip
    while at != base:
        before, *candidates = objects.parents(at) or ("",)
        tasks = tasks_of(objects.message(at), migration)
        if tasks and len(tasks) == len(candidates):
            for task, candidate in reversed(list(zip(tasks, candidates, strict=True))):
                yield task, objects.parents(candidate)[0], candidate
        elif before:
            yield "", before, at
        if not before:
            return
        at = before
