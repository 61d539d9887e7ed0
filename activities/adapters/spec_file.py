"""Reads a migration spec: YAML text in, MigrationSpec out, or everything wrong with it at once.

Passes over one document, each silent about what an earlier one said already: the text with what it
extends, fields this version does not support, the forms, the rules.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.adapters.spec_extends import with_bases
from activities.adapters.spec_fleet import ENTRIES, repository_count, repository_variables
from activities.adapters.spec_messages import told
from activities.adapters.spec_plans import PlanRule, plan_faults, unfit, with_places
from activities.adapters.spec_problem import Fault, Problem, SpecErrors, covered
from activities.adapters.spec_rules import rule_faults
from activities.adapters.spec_source import Source, read_source
from activities.adapters.spec_support import without_unsupported
from activities.adapters.spec_vars import Value
from activities.adapters.yaml_nodes import Table, compose
from activities.contracts.draft import MigrationDraft
from activities.contracts.fleet import FleetBounds, FleetSpec
from activities.contracts.spec import MigrationSpec


def load_spec(path: Path, *, variables: Mapping[str, Value] | None = None) -> MigrationSpec:
    """The spec of one repository in a file; `variables` win over its `vars`. Raises SpecErrors."""
    return _of_one(load_any(path, variables=variables), str(path))


def parse_spec(
    text: str, file: str, *, variables: Mapping[str, Value] | None = None
) -> MigrationSpec:
    """As `load_spec`, of a text; `file` is named in messages, and what it extends is seen from
    there."""
    return _of_one(parse_any(text, file, variables=variables), file)


def load_any(
    path: Path,
    *,
    variables: Mapping[str, Value] | None = None,
    plan_rule: PlanRule | None = None,
) -> MigrationSpec | FleetSpec:
    """The spec in a file, of one repository or of a fleet of them; `plan_rule` judges the plan
    files that it names. Raises SpecErrors."""
    file = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise SpecErrors([Problem(file, 1, 1, "", what, "name a file")]) from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n"), len(before) - before.rfind(b"\n")
        what = "the file is not UTF-8"
        raise SpecErrors([Problem(file, line + 1, column, "", what, "save it as UTF-8")]) from error
    return parse_any(text, file, variables=variables, plan_rule=plan_rule)


def parse_any(
    text: str,
    file: str,
    *,
    variables: Mapping[str, Value] | None = None,
    plan_rule: PlanRule | None = None,
) -> MigrationSpec | FleetSpec:
    """As `load_any`, of a text."""
    root = with_bases(compose(text, file), file)
    own = [repository_variables(root, number) for number in range(repository_count(root))]
    if not own:
        draft, source = _read(root, file, variables or {})
        spec = draft.spec()
        unplanned = list(unfit(spec, source, plan_rule)) if plan_rule else []
        if unplanned:
            raise SpecErrors([source.problem(fault) for fault in unplanned])
        return spec
    return _fleet(root, file, [{**(variables or {}), **given} for given in own])


def _fleet(root: Table, file: str, variables: Sequence[Mapping[str, Value]]) -> FleetSpec:
    """The spec is read once for each repository, in whose variables alone they may differ."""
    alike = {repr(sorted(given.items())): given for given in variables}
    keys = [repr(sorted(given.items())) for given in variables]
    read: dict[str, MigrationDraft] = {}
    problems: list[Problem] = []
    for key, given in alike.items():
        try:
            read[key], _ = _read(root, file, given, [n for n, k in enumerate(keys) if k == key])
        except SpecErrors as errors:
            problems += errors.problems
    if problems:
        raise SpecErrors(problems)
    drafts = [read[key] for key in keys]
    entries = [(draft.repositories or ())[number] for number, draft in enumerate(drafts)]
    members = tuple(draft.member(e) for draft, e in zip(drafts, entries, strict=True))
    first = drafts[0]
    bounds = first.fleet or FleetBounds()
    return FleetSpec(name=first.name, objective=members[0].objective, fleet=bounds, members=members)


def _read(
    root: Table, file: str, variables: Mapping[str, Value], entries: Sequence[int] = ()
) -> tuple[MigrationDraft, Source]:
    """The document with these variables, which are those of some of its repositories: what they
    make wrong of another one's entry is said when that one is read."""
    source = read_source(root, file, variables)
    taken: list[Fault] = []
    source.data = without_unsupported(source.data, taken)
    faults = [*source.faults, *taken]
    draft, broken = _draft(source)
    faults += [fault for fault in broken if not covered(fault, faults)]
    told_at = {fault.path for fault in faults}
    rules = (*rule_faults(source.data), *plan_faults(source))
    faults += [fault for fault in rules if fault.path not in told_at]
    if entries:
        others = {f.path for f in faults if f.path[:1] == ENTRIES and f.path[1:]}
        others -= {path for path in others if path[1] in entries}
        faults = [fault for fault in faults if fault.path not in others]
    if faults or draft is None:
        raise SpecErrors([source.problem(fault) for fault in faults])
    return with_places(draft, source), source


def _of_one(loaded: MigrationSpec | FleetSpec, file: str) -> MigrationSpec:
    if isinstance(loaded, MigrationSpec):
        return loaded
    what = "is a fleet of repositories, where one is needed"
    raise SpecErrors([Problem(file, 1, 1, "repositories", what, "use `repository`")])


@cache
def json_schema() -> dict[str, Any]:
    """JSON Schema of what users write, for editors."""
    schema = MigrationDraft.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _draft(source: Source) -> tuple[MigrationDraft | None, list[Fault]]:
    try:
        return MigrationDraft.model_validate(source.data), []
    except ValidationError as error:
        return None, told(error, source, json_schema())
