"""Plans that users keep in files: read, and held against the spec before anything starts."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from activities.adapters.spec_messages import choices
from activities.contracts.plan import Plan, Task
from activities.contracts.spec import MigrationSpec
from activities.given_plan import named_for
from activities.plan_rows import oversized
from activities.plan_rules import validate_plan
from cli.boundary import Code, Refused

MOST_FAULTS = 5
SPEC = "SPEC"


class UnfitPlan(Exception):
    """A file that is not the plan of a phase."""

    def __init__(self, what: str, advice: str, code: Code = Code.USAGE) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
        self.advice = advice
        self.code = code


def read_plan(file: Path, spec: MigrationSpec, phase: str, written: str = SPEC) -> Plan:
    """The plan in a file, if it can be the phase's; `written`: where the spec is, for advice.

    Raises UnfitPlan. What depends on the tree is only told when the phase is planned.
    """
    own = "" if phase == spec.phases[0].name else f" --phase {phase}"
    again = f"starter.py plan {written} -o {file}{own}"
    try:
        plan = Plan.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UnfitPlan(f"{file} cannot be read: {error.strerror}", f"make it: {again}") from error
    except ValidationError as error:
        what = f"{file} is no saved plan: {_several([_misread(e) for e in error.errors()])}"
        raise UnfitPlan(what, f"mend it, or make a new one: {again}") from error
    if (plan.migration, plan.spec_digest) != (spec.name, spec.plan_digest):
        what = f"{file} was made for another spec"
        raise UnfitPlan(what, f"make a new one: {again}", Code.REJECTED)
    if plan.phase != phase:
        what = f"{file} is of phase {plan.phase}, not of {phase}"
        raise UnfitPlan(what, f"name it there, or make one: {again}")
    named = named_for(plan, plan.cycle)
    if faults := [*validate_plan(named, spec, None), *oversized(named)]:
        what = f"{file} cannot be run: {_several(faults)}"
        raise UnfitPlan(what, f"mend it, or make a new one: {again}")
    return plan


def _several(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
    return f"{'; '.join(faults[:MOST_FAULTS])}{more}"


def _misread(error: ErrorDetails) -> str:
    """What a plan has or lacks, at its place: `tasks[0].claims`."""
    place = ".".join(str(part) for part in error["loc"])
    place = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", place)
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "extra_forbidden":
        known = Task.model_fields if error["loc"][0] == "tasks" else Plan.model_fields
        return f"unknown field {place}: {choices(str(error['loc'][-1]), known)}"
    return f"{place}: {error['msg']}" if place else error["msg"]


def without_unfit(spec: MigrationSpec, others: Collection[str]) -> tuple[MigrationSpec, list[str]]:
    """The spec without those plans of these phases that cannot be theirs, and what is said of
    each: one plan can be made anew while another one waits for it."""
    said: list[str] = []
    for phase in (phase for phase in spec.phases if phase.plan_file and phase.name in others):
        try:
            read_plan(Path(phase.plan_file), spec, phase.name)
        except UnfitPlan as unfit:
            spec = spec.without_plan(phase.name)
            said.append(f"phase {phase.name}: {unfit.what}; it is left out here")
    return spec, said


def own_plans(spec: MigrationSpec) -> dict[str, Plan]:
    """phase → the plan of the user's own. Raises Refused."""
    try:
        return {
            phase.name: read_plan(Path(phase.plan_file), spec, phase.name)
            for phase in spec.phases
            if phase.plan_file
        }
    except UnfitPlan as unfit:
        raise Refused(unfit.code, str(unfit)) from unfit


def with_first_plan(spec: MigrationSpec, saved: Path, written: Path) -> MigrationSpec:
    """The spec whose first phase runs the saved plan, whatever it says of one itself."""
    first, *others = spec.phases
    try:
        read_plan(saved, spec, first.name, str(written))
    except UnfitPlan as unfit:
        raise Refused(unfit.code, str(unfit)) from unfit
    first = first.model_copy(update={"plan": str(saved.resolve())})
    return spec.model_copy(update={"phases": (first, *others)})
