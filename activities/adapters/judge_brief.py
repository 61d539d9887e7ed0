"""What a judge is told: the objective, what was counted, and the cycle's diff; nothing else."""

from collections import Counter
from collections.abc import Sequence

from activities.adapters.bounded_text import bounded
from activities.adapters.composing import one_line
from activities.adapters.hub import Hub
from activities.adapters.reporting import undone
from activities.adapters.task_prompt import named
from activities.contracts.marking import in_data
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import SurveyData
from activities.contracts.work import Handoff

DIFF_BYTES = 96 << 10
"""A turn is paid for at worst, a token for each byte: more would be beyond small budgets."""
FILE_BYTES = 8 << 10
"""Of one file's diff, so that a large one hides no other."""
PATHS_NAMED = 1000
UNDONE_NAMED = 40


def judge_brief(
    hub: Hub,
    spec: MigrationSpec,
    phase: Phase,
    cycle: int,
    before: str,
    survey: SurveyData,
    sites_before: int,
    handoffs: Sequence[Handoff],
) -> str:
    """The first message of a judge's conversation, as Markdown."""
    paths = [entry.path for entry in hub.diff(before, survey.commit)]
    parts = [
        f"# Objective\n\n{(phase.objective or spec.objective).strip()}",
        f"# What was counted after cycle {cycle} of phase {phase.name}\n\n"
        + in_data("\n".join(_counted(survey, sites_before, handoffs, len(paths)))),
        "# Changed files\n\n" + in_data("\n".join(map(named, paths[:PATHS_NAMED]))),
        "# The cycle's diff\n\n" + in_data(_diff(hub, before, survey.commit, paths)),
    ]
    return "\n\n".join(parts) + "\n"


def _counted(
    survey: SurveyData, before: int, handoffs: Sequence[Handoff], changed: int
) -> list[str]:
    ended = Counter(handoff.status.value for handoff in handoffs)
    statuses = ", ".join(f"{n} {status}" for status, n in sorted(ended.items()))
    left = [
        f"- {entry.task}: {', '.join(map(named, entry.paths[:5])) or 'all of it'}: "
        f"{one_line(entry.why)[:300]}"
        for entry in undone(handoffs)
    ]
    more = [f"- and {len(left) - UNDONE_NAMED} more"] if len(left) > UNDONE_NAMED else []
    return [
        f"sites: {len(survey.sites)} left of {before}",
        f"tasks: {statuses or 'none'}",
        f"files changed: {changed}; what landed passed the landing checks as exactly that tree",
        *(["not done:", *left[:UNDONE_NAMED], *more] if left else []),
    ]


def _diff(hub: Hub, before: str, after: str, paths: Sequence[str]) -> str:
    """File by file, as far as it fits; what is left out is said."""
    shown: list[str] = []
    room = DIFF_BYTES
    for number, path in enumerate(paths):
        text = hub.patch(before, after, (path,)).decode("utf-8", "replace")
        text = bounded(text, FILE_BYTES)
        room -= len(text.encode())
        if room < 0:
            shown.append(f"[{len(paths) - number} more files do not fit here; read them]")
            break
        shown.append(text)
    return "\n".join(shown)
