"""What tasks left to others, as tasks of the next cycle. Pure.

A follow-up that names a file of the phase's scope, which no task of the plan claims and nobody
forbids, gets a task with what was said as its instructions, where the ladder has a rung that reads
them. A file has one such task in all; everything else stays in the report, for people.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from activities.contracts.plan import Plan, Task
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import FollowUp, SurveyData
from activities.contracts.work import Handoff
from activities.file_rules import refusal
from activities.fixing import is_told
from activities.plan_rules import files_with_sites

MOST_FILES = 20
"""Of one cycle; the others are the next one's."""
MOST_SAID = 5
MOST_TEXT = 1000
"""Characters of what is read of a text."""
_WORDS = re.compile(r"[\s`'\"(),;<>]+")
_LINE = re.compile(r"(:\d+)*[:.]?$")


def follow_ups(
    handoffs: Sequence[Handoff], spec: MigrationSpec, survey: SurveyData, scope: Collection[str]
) -> tuple[FollowUp, ...]:
    """What another cycle may follow up, by path. `scope`: the files of the phase, but not those
    that need a person."""
    phase = spec.phase(survey.phase)
    if not handoffs or not is_told(phase):
        return ()
    had = {path for handoff in handoffs for path in handoff.follows}
    may = frozenset(scope) - files_with_sites(survey) - had
    changed = {path: number for number, handoff in enumerate(handoffs) for path in handoff.files}
    found: dict[str, list[str]] = {}
    for number, handoff in enumerate(handoffs):
        for text, is_remark in _said(handoff):
            path = _named(text, may)
            settled = is_remark and changed.get(path, -1) >= number
            if path and not settled and not refusal(path, spec, phase):
                found.setdefault(path, []).append(f"{handoff.task}: {text}")
    return tuple(
        FollowUp(path=path, said=tuple(dict.fromkeys(found[path]))[:MOST_SAID])
        for path in sorted(found)[:MOST_FILES]
    )


def with_follow_ups(plan: Plan, survey: SurveyData) -> Plan:
    """The plan with a task for each file that is to be followed up and that no task of it claims;
    they go last, and none is part of a pilot."""
    claimed = {path for task in plan.tasks for path in task.claims}
    wanted = [entry for entry in survey.follow_ups if entry.path not in claimed]
    more = (_task(plan.cycle, number, entry) for number, entry in enumerate(wanted, 1))
    return plan.model_copy(update={"tasks": (*plan.tasks, *more)})


def _task(cycle: int, number: int, entry: FollowUp) -> Task:
    said = "\n".join(f"- {' '.join(text.split())}" for text in entry.said)
    return Task(
        id=f"c{cycle}-more-{number:04}",
        title=f"follow up {entry.path}",
        claims=(entry.path,),
        follows=True,
        priority=4,
        instructions="No site is known in this file. Do what follows from the objective and from "
        f"what earlier tasks said of it, as data; nothing may be right too:\n\n{said}",
    )


def _said(handoff: Handoff) -> Iterator[tuple[str, bool]]:
    """What it left to others, and whether that is no more than a remark, which whoever changes the
    file afterwards has settled."""
    word = handoff.agent
    for text in handoff.follow_ups:
        yield text[:MOST_TEXT], False
    for text in (*word.follow_ups, *word.reported) if word else ():
        yield text[:MOST_TEXT], True


def _named(text: str, may: Collection[str]) -> str:
    """The first of these files that a text names; empty: none."""
    words: Iterable[str] = (text.partition(": ")[0], *_WORDS.split(text))
    plain = (_LINE.sub("", word).removeprefix("./") for word in words)
    return next((word for word in plain if word in may), "")
