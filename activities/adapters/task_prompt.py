"""What an agent's program is told about its task: objective, files, sites, and what was found red.

Text from the repository and from commands stands under headings of its own, as data. Bounded: one
argument of a program holds 128 KiB. What people said last is never what is left out.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from activities.adapters.bounded_text import bounded, size
from activities.adapters.composing import one_line
from activities.contracts.evidence import Evidence
from activities.contracts.findings import red_ones
from activities.contracts.marking import in_data
from activities.contracts.plan import Task
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import Site

MAX_BYTES = 96 << 10
SAID_BYTES = 32 << 10
"""Of what people said; whatever is in it, the last three texts fit."""
FOUND_BYTES = 24 << 10
"""Of what is red."""
FACTS_BYTES = 24 << 10
"""Of what landed meanwhile, and of a conflict with it."""
FILES_NAMED = 500
LINES_NAMED = 20


def task_prompt(
    spec: MigrationSpec,
    phase: Phase,
    task: Task,
    sites: Iterable[Site] = (),
    evidence: Evidence | None = None,
    guidance: Sequence[str] = (),
    facts: Sequence[str] = (),
) -> str:
    """The prompt as Markdown; where something does not fit, that is said there. `facts` are
    sections of their own."""
    order = [
        f"# Objective\n\n{(phase.objective or spec.objective).strip()}\n",
        f"# Task {task.id}: {one_line(task.title)}\n",
        f"{task.instructions.strip()}\n" if task.instructions.strip() else "",
        _files(task, sites),
        _creates(task),
        _grants(task),
        "Change nothing else: an edit of any other tracked file fails the task.\n",
    ]
    known = bounded("\n".join(fact for fact in facts if fact), FACTS_BYTES)
    said = _guidance(guidance)
    red = red_ones(evidence)
    found = bounded("\n".join(red), FOUND_BYTES).strip()
    found = f"# What is red after the last attempt\n\n{in_data(found)}\n" if red else ""
    room = MAX_BYTES - size(known) - size(said) - size(found) - 3
    told = (bounded("\n".join(part for part in order if part), room), known, said, found)
    return "\n".join(part for part in told if part)


def _files(task: Task, sites: Iterable[Site]) -> str:
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for site in sites:
        if site.line:
            lines[site.path].append(site.line)
    shown = [
        f"- {named(path)}{_places(sorted(set(lines[path])))}" for path in task.claims[:FILES_NAMED]
    ]
    if len(task.claims) > FILES_NAMED:
        shown.append(f"- and {len(task.claims) - FILES_NAMED} more")
    return "\n".join(["# Files you may change, with the lines to look at", "", *shown, ""])


def named(path: str) -> str:
    """A name that could end its line, or be taken for another one, is written as JSON has it."""
    plain = path.isprintable() and path == path.strip() and not path.startswith('"')
    return path if plain else json.dumps(path)


def _places(lines: list[int]) -> str:
    if not lines:
        return ""
    more = f" and {len(lines) - LINES_NAMED} more" if len(lines) > LINES_NAMED else ""
    return ": " + ", ".join(map(str, lines[:LINES_NAMED])) + more


def _creates(task: Task) -> str:
    return f"You may also add: {', '.join(task.creates)}\n" if task.creates else ""


def _grants(task: Task) -> str:
    """A grant's reason is told, since the file is somebody else's business."""
    if not task.grants:
        return ""
    lines = [f"- {named(grant.path)}: {one_line(grant.reason)}" for grant in task.grants]
    return "\n".join(["You may also change, for these reasons alone:", "", *lines, ""])


def notes_section(notes: Sequence[str]) -> str:
    """What the planner has to say of other tasks and of what was asked for."""
    if not notes:
        return ""
    lines = [f"- {one_line(note)}" for note in notes]
    return "\n".join(["# What the planner says", "", *lines, ""])


def _guidance(texts: Sequence[str]) -> str:
    if not texts:
        return ""
    lines: list[str] = []
    room = SAID_BYTES
    for text in reversed(texts):
        line = f"- {text.strip()}"
        room -= size(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    if older := len(texts) - len(lines):
        lines.insert(0, f"- [{older} older texts do not fit]")
    said = "\n".join(lines)
    return f"# What people said since; it wins over what stands above\n\n{said}\n"
