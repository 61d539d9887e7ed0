"""What conversations begin with: the role's prompt, and what this one is about."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from activities.adapters.bounded_text import bounded
from activities.adapters.hub import Hub
from activities.adapters.import_graph import Graph, python_graph
from activities.adapters.judge_brief import judge_brief
from activities.adapters.planner_brief import planner_brief
from activities.adapters.prompts import house_rules, render
from activities.adapters.python_imports import SUFFIXES
from activities.adapters.situation import facts
from activities.adapters.task_prompt import notes_section, task_prompt
from activities.contracts.conversation import Role
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.marking import as_data
from activities.contracts.plan import Task
from activities.contracts.plan_form import MAX_FILES
from activities.contracts.reds import OpenRed
from activities.contracts.rungs import ClaudeRung
from activities.contracts.scopes import PlanScope
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import Site, SurveyData
from activities.contracts.work import Handoff

NOTES_BYTES = 24 << 10
"""Of field notes."""


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
        role: Role,
        spec: MigrationSpec,
        phase: Phase,
        rung: ClaudeRung,
        task: Task,
        base: str,
        sites: Iterable[Site],
        evidence: Evidence | None,
        facts: Sequence[str] = (),
        notes: Sequence[str] = (),
        learnt: str = "",
    ) -> Brief:
        """For one attempt at a task, a worker's or a resolver's; what people say comes later,
        between the turns."""
        prompt = render(
            role,
            {
                "checks": _checks(spec, phase),
                "protect": spec.protect,
                "keep": phase.keep,
                "advice": rung.advice.strip(),
                "notes": as_data(bounded(learnt, NOTES_BYTES)),
                "rules": house_rules(hub, base),
            },
        )
        told = [*facts, notes_section(notes)]
        claimed = [site for site in sites if site.path in task.claims]
        text = task_prompt(spec, phase, task, claimed, evidence, facts=told)
        return Brief(prompt.text, text, prompt.digests)

    def planner(
        self,
        hub: Hub,
        role: Role,
        spec: MigrationSpec,
        scope: PlanScope,
        survey: SurveyData,
        files: Collection[str],
        proposal: Sequence[Task],
        handoffs: Sequence[Handoff] = (),
        notes: str = "",
        reds: Sequence[OpenRed] = (),
    ) -> Brief:
        """For the planner of a scope; `proposal`: how the split divides its files."""
        phase = spec.phase(survey.phase)
        prompt = render(
            role,
            {
                "checks": _checks(spec, phase),
                "protect": spec.protect,
                "creates": phase.creates,
                "notes_kept": role is Role.PLANNER,
                "rules": house_rules(hub, survey.commit),
            },
        )
        mine = sorted(files)
        imports = self._imports(hub, survey, mine)
        text = planner_brief(
            spec, phase, scope, survey, mine, imports, proposal, handoffs, notes, reds
        )
        return Brief(prompt.text, text, prompt.digests)

    def judge(
        self,
        hub: Hub,
        spec: MigrationSpec,
        cycle: int,
        before: str,
        survey: SurveyData,
        sites_before: int,
        handoffs: Sequence[Handoff],
    ) -> Brief:
        """For the judge of a cycle, whose first commit is `before`."""
        prompt, phase = render(Role.JUDGE, {}), spec.phase(survey.phase)
        text = judge_brief(hub, spec, phase, cycle, before, survey, sites_before, handoffs)
        return Brief(prompt.text, text, prompt.digests)

    def _imports(self, hub: Hub, survey: SurveyData, files: Sequence[str]) -> Graph:
        """Who imports whom among the files, where they are few enough to be told one by one."""
        if survey.imports:
            return dict(survey.imports)
        if len(files) > MAX_FILES or not any(path.endswith(SUFFIXES) for path in files):
            return {}
        among = frozenset(files)
        tree = {file.path: file for file in hub.files(survey.commit)}
        found = python_graph(hub, tree, files)
        kept = ((path, tuple(p for p in wanted if p in among)) for path, wanted in found.items())
        return {path: wanted for path, wanted in kept if wanted}


def _checks(spec: MigrationSpec, phase: Phase) -> list[str]:
    """Name and command of what a task is checked by."""
    return [
        f"{name}: {check.run if isinstance(check.run, str) else ' '.join(check.run)}"
        for name, check in spec.checks.items()
        if Moment.TASK in check.moments and (not phase.checks or name in phase.checks)
    ]
