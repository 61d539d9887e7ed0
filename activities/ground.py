"""What a planner's scope is planned on: the spec, the survey, the tree, and its files. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from activities.contracts.plan import Task
from activities.contracts.scopes import PlanScope
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import SurveyData
from activities.plan_rules import files_with_sites
from activities.static_plan import static_plan

UNBOUND = "of no spec yet"
"""In place of a digest, until the whole plan is made."""


@dataclass(frozen=True)
class Ground:
    """What a scope is planned on."""

    spec: MigrationSpec
    survey: SurveyData
    tree: frozenset[str]
    scope: PlanScope
    files: frozenset[str]
    """The files with sites that the scope divides."""

    @property
    def phase(self) -> Phase:
        return self.spec.phase(self.survey.phase)

    @cached_property
    def sites(self) -> dict[str, int]:
        """Path → how many it has."""
        return {file.path: file.sites for file in self.survey.files}

    def split(self, files: Iterable[str], claimed: Iterable[str] = ()) -> tuple[Task, ...]:
        """The tasks into which the phase's split divides these files; none claims `claimed`."""
        others = (files_with_sites(self.survey) - set(files)) | set(claimed)
        return static_plan(
            self.spec, UNBOUND, self.survey, self.scope.cycle, others, self.tree
        ).tasks
