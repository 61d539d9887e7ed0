"""Which checks of a spec run when, and what is measured beside them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pathspec import GitIgnoreSpec

from activities.contracts.check_forms import Expectation, SameAs
from activities.contracts.children import AreaRow
from activities.contracts.evidence import Moment, ResultSet
from activities.contracts.placeholders import list_placeholder
from activities.contracts.spec import Check, Expect, MigrationSpec, ResultKind


def checks_at(spec: MigrationSpec, phase: str, moment: Moment) -> list[str]:
    """The phase's checks for a moment, in the spec's order; at landing those that a batch waits
    for."""
    later = spec.landing.deep if moment is Moment.LANDING else ()
    named = {*spec.phase(phase).checks} - {*later}
    return [name for name, c in spec.checks.items() if name in named and moment in c.moments]


def deep_checks(spec: MigrationSpec, phase: str) -> list[str]:
    """The phase's checks behind the landings, in the spec's order: the deep ones and, where a
    landing does not run all of its own because of what they cover, those too."""
    gate = checks_at(spec, phase, Moment.LANDING)
    guarded = gate if any(spec.checks[name].covers for name in gate) else []
    chosen = {*guarded, *({*spec.landing.deep} & {*spec.phase(phase).checks})}
    return [name for name in spec.checks if name in chosen]


def has_deep(spec: MigrationSpec, phase: str) -> bool:
    """Whether any of the phase's checks is a deep one."""
    return not {*spec.landing.deep}.isdisjoint(spec.phase(phase).checks)


def measured_on_base(spec: MigrationSpec, phase: str) -> list[str]:
    """The checks whose baseline is taken as a phase starts.

    Those at its landings, and, of every phase: those that others shall be the same as, and those
    that run at no moment at all. They are measured before anything changed, so with the first.
    """
    landing = {*checks_at(spec, phase, Moment.LANDING), *deep_checks(spec, phase)}
    expected = [expect for c in spec.checks.values() for expect in c.expectations]
    compared = {expect.same_as for expect in expected if isinstance(expect, SameAs)}
    return [n for n, c in spec.checks.items() if n in landing or n in compared or not c.moments]


def must_pass(check: Check) -> bool:
    """Whether nothing can land as long as the check's whole run is red."""
    whole = [Moment.LANDING] if list_placeholder(check.run) else [Moment.TASK, Moment.LANDING]
    expected = [check.expected_at(moment) for moment in whole if moment in check.moments]
    return Expectation.PASS in expected


def needs_before(check: Check, expect: Expect, after: ResultSet) -> bool:
    """Whether the run on the tree it is based on could change what `after` means: not where
    everything must pass, nor where the exit code is all that is known and it is good."""
    good = after.parsed and after.ended == "exit" and not after.failed
    return expect is not Expectation.PASS and not (good and check.results is ResultKind.EXIT)


def with_deep(rows: Sequence[AreaRow], spec: MigrationSpec, phase: str) -> tuple[AreaRow, ...]:
    """The rows, each with the checks behind the landings that cover any file of its task, where an
    error budget could stop it: it stops nobody who mends what is red."""
    if spec.landing.budget is None:
        return tuple(rows)
    covers = {name: spec.checks[name].covers or ("*",) for name in deep_checks(spec, phase)}
    patterns = {name: GitIgnoreSpec.from_lines(lines) for name, lines in covers.items()}

    def about(row: AreaRow) -> tuple[str, ...]:
        if row.task.mends:
            return ()
        return tuple(n for n, p in patterns.items() if any(map(p.match_file, row.may_change)))

    return tuple(
        row.model_copy(update={"task": row.task.model_copy(update={"deep": about(row)})})
        for row in rows
    )
