"""`plan` of a phase: where the path of a plan of the user's own may stand, and what it means.

A path is seen from the file that names it. The file is the starter's to read: no worker looks at
the disk of whoever wrote the spec.
"""

from collections.abc import Callable, Iterator
from pathlib import Path as File
from typing import Any

from activities.adapters.spec_parts import items, table
from activities.adapters.spec_problem import Fault, Path
from activities.adapters.spec_source import Source
from activities.contracts.draft import MigrationDraft
from activities.contracts.spec import MigrationSpec, Phase

FIELD = "plan"
PlanRule = Callable[[MigrationSpec, Phase], tuple[str, str] | None]
"""What is wrong with a phase's plan file, and what to do."""


def plan_faults(source: Source) -> Iterator[Fault]:
    """Paths that no plan can stand under: a plan is of one phase of one repository."""
    data = source.data
    phases = items(data.get("phases"))
    named: list[Path] = [(FIELD,)] if _is_file(data) else []
    if named and len(phases) > 1:
        what = f"a plan is of one phase, and there are {len(phases)}"
        yield Fault((FIELD,), what, "write `plan` into the phase that it is of", on_key=True)
    named += [("phases", n, FIELD) for n, phase in enumerate(phases) if _is_file(table(phase))]
    for path in named:
        place = source.values[path]
        if "repositories" in data:
            what = "a plan is of one repository, and this spec is of several"
            yield Fault(path, what, "leave it out, or migrate that repository by a spec of its own")
        elif "://" in place.file:
            what = "is a path in a file from a URL"
            yield Fault(path, what, "write `plan` into the spec itself")


def _is_file(part: dict[str, Any]) -> bool:
    return str(part.get(FIELD, "")).endswith(".json")


def with_places(draft: MigrationDraft, source: Source) -> MigrationDraft:
    """The draft with the whole paths of its plans."""
    phases = draft.phases and tuple(
        phase.model_copy(update=_placed(phase.plan, ("phases", number, FIELD), source))
        for number, phase in enumerate(draft.phases)
    )
    own = _placed(draft.plan, (FIELD,), source)
    return draft.model_copy(update={"phases": phases, **own})


def _placed(plan: str | None, path: Path, source: Source) -> dict[str, str]:
    if not plan or not plan.endswith(".json"):
        return {}
    by = source.values[path].file or source.file
    return {FIELD: str((File(by).parent / File(plan).expanduser()).resolve())}


def unfit(spec: MigrationSpec, source: Source, rule: PlanRule) -> Iterator[Fault]:
    """The faults of the plan files themselves, where the spec names them."""
    for number, phase in enumerate(spec.phases):
        wrong = rule(spec, phase) if phase.plan_file else None
        own: Path = ("phases", number, FIELD)
        if wrong is not None:
            what, advice = wrong
            yield Fault(own if own in source.values else (FIELD,), what, advice)
