"""What conversations begin with: the role's prompt, and what this one is about."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from activities.adapters.hub import Hub
from activities.adapters.prompts import house_rules, render
from activities.adapters.situation import facts
from activities.adapters.task_prompt import notes_section, task_prompt
from activities.contracts.conversation import Role
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.plan import Task
from activities.contracts.rungs import ClaudeRung
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import Site


class Brief(NamedTuple):
    """A conversation's first texts."""

    system: str
    """Equal for all tasks of a phase."""
    text: str
    prompts: dict[str, str]
    """Prompt file → sha256."""


class Briefs:
    """Makes them out of a spec, a plan and the tree."""

    facts = staticmethod(facts)

    def worker(
        self,
        hub: Hub,
        spec: MigrationSpec,
        phase: Phase,
        rung: ClaudeRung,
        task: Task,
        base: str,
        sites: Iterable[Site],
        evidence: Evidence | None,
        facts: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> Brief:
        """For one attempt at a task; what people say comes later, between the turns."""
        prompt = render(
            Role.WORKER,
            {
                "checks": _checks(spec, phase),
                "protect": spec.protect,
                "keep": phase.keep,
                "advice": rung.advice.strip(),
                "notes": "",
                "rules": house_rules(hub, base),
            },
        )
        told = [*facts, notes_section(notes)]
        claimed = [site for site in sites if site.path in task.claims]
        text = task_prompt(spec, phase, task, claimed, evidence, facts=told)
        return Brief(prompt.text, text, {prompt.name: prompt.digest})


def _checks(spec: MigrationSpec, phase: Phase) -> list[str]:
    """Name and command of what a task is checked by."""
    return [
        f"{name}: {check.run if isinstance(check.run, str) else ' '.join(check.run)}"
        for name, check in spec.checks.items()
        if Moment.TASK in check.moments and (not phase.checks or name in phase.checks)
    ]
