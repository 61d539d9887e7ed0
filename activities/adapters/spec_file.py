"""Reads a migration spec: YAML text in, MigrationSpec out, or everything wrong with it at once.

Passes over one document, each silent about what an earlier one said already: the text with what it
extends, fields this version does not support, the forms, the rules.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.adapters.spec_extends import with_bases
from activities.adapters.spec_messages import told
from activities.adapters.spec_problem import Fault, Problem, SpecErrors, covered
from activities.adapters.spec_rules import rule_faults
from activities.adapters.spec_source import Source, read_source
from activities.adapters.spec_support import without_unsupported
from activities.adapters.yaml_nodes import compose
from activities.contracts.draft import MigrationDraft
from activities.contracts.spec import MigrationSpec


def load_spec(path: Path, *, variables: Mapping[str, str] | None = None) -> MigrationSpec:
    """The spec in a file; `variables` win over its `vars`. Raises SpecErrors."""
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
    return parse_spec(text, file, variables=variables)


def parse_spec(
    text: str, file: str, *, variables: Mapping[str, str] | None = None
) -> MigrationSpec:
    """The spec in a text; `file` is named in messages, and what it extends is seen from there.
    Raises SpecErrors."""
    source = read_source(with_bases(compose(text, file), file), file, variables or {})
    taken: list[Fault] = []
    source.data = without_unsupported(source.data, taken)
    faults = [*source.faults, *taken]
    if any(fault.path == ("repositories",) for fault in taken):
        source.data.setdefault("repository", "one of them")
    draft, broken = _draft(source)
    faults += [fault for fault in broken if not covered(fault, faults)]
    told_at = {fault.path for fault in faults}
    faults += [fault for fault in rule_faults(source.data) if fault.path not in told_at]
    if faults or draft is None:
        raise SpecErrors([source.problem(fault) for fault in faults])
    return draft.spec()


def json_schema() -> dict[str, Any]:
    """JSON Schema of what users write, for editors."""
    schema = MigrationDraft.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _draft(source: Source) -> tuple[MigrationDraft | None, list[Fault]]:
    try:
        return MigrationDraft.model_validate(source.data), []
    except ValidationError as error:
        return None, told(error, source, json_schema())
