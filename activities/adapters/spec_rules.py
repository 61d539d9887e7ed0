"""What a spec means, checked part by part: its phases, sites, names and what is checked when."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pathspec import GitIgnoreSpec

from activities.adapters import spec_words as words
from activities.adapters.spec_check_rules import check_faults, is_judged_at_landing, landing_faults
from activities.adapters.spec_command_rules import environment_faults, resolver_faults, rung_faults
from activities.adapters.spec_finder_rules import finder_faults
from activities.adapters.spec_fleet import repository_faults
from activities.adapters.spec_messages import choices
from activities.adapters.spec_parts import all_judged, all_patterns, items, judged, part, table
from activities.adapters.spec_problem import Fault, Path
from activities.adapters.spec_split_rules import split_faults
from activities.contracts.shorthands import as_list
from activities.contracts.spec import Check

SHORTEST_FOLLOW = 10
"""Seconds."""


def rule_faults(data: dict[str, Any]) -> Iterator[Fault]:
    """Everything that is well formed and still cannot be meant."""
    environments = table(data.get("environments"))
    yield from repository_faults(data)
    yield from judged(data.get("base"), ("base",), words.branch)
    delivery = table(data.get("delivery"))
    yield from judged(delivery.get("branch"), ("delivery", "branch"), words.branch)
    if delivery.get("branch") == data.get("base", "main"):
        advice = "name another one: the green branch is Whimbrel's own"
        yield Fault(("delivery", "branch"), "the green branch is the base", advice)
    yield from all_patterns(data.get("protect"), ("protect",))
    for number, waiver in enumerate(items(data.get("integrity"))):
        here = ("integrity", number, "paths")
        yield from all_patterns(table(waiver).get("paths"), here)
    for name, value in environments.items():
        yield from environment_faults(value, ("environments", name))
    checks = table(data.get("checks"))
    for name in checks:
        yield from check_faults(name, checks, environments)
    parts = [((), data)]
    parts += [(("phases", n), table(p)) for n, p in enumerate(items(data.get("phases")))]
    for path, value in parts:
        yield from _part_faults(value, path, list(environments))
        sites = table(value.get("sites"))
        for place, finder in _finders(sites, (*path, "sites", "find")):
            yield from finder_faults(finder, place, checks)
    yield from landing_faults(table(data.get("landing")), checks)
    yield from _follow_faults(data.get("follow"))
    yield from _limits_faults(table(data.get("limits")))
    yield from _phases_faults(data)
    if "pilot" in items(data.get("approvals")) and not any(v.get("pilot") for _, v in parts):
        path = ("approvals", items(data["approvals"]).index("pilot"))
        advice = "say how many tasks it has, such as `pilot: 3`, at the top or in a phase"
        yield Fault(path, "no phase has a pilot", advice)


def _follow_faults(follow: object) -> Iterator[Fault]:
    """Each look asks upstream, and is kept in the migration's history."""
    short = re.fullmatch(r"([1-9][0-9]*)s", follow) if isinstance(follow, str) else None
    if short and int(short[1]) < SHORTEST_FOLLOW:
        advice = f"write {SHORTEST_FOLLOW}s or more, such as 15m, or never"
        yield Fault(("follow",), f"`{follow}` is too short from one look to the next", advice)


def _limits_faults(limits: dict[str, Any]) -> Iterator[Fault]:
    whole, each = limits.get("usd"), limits.get("task_usd")
    if isinstance(whole, int | float) and isinstance(each, int | float) and each > whole:
        advice = f"say at most `task_usd: {whole}`, or leave it out: it is a share of `usd` then"
        yield Fault(("limits", "task_usd"), "one task may cost more than all of them", advice)


def _part_faults(value: dict[str, Any], path: Path, environments: list[str]) -> Iterator[Fault]:
    """What a phase, or the top level as the phases' default, says by itself."""
    for name in ("claims", "creates"):
        yield from all_judged(value.get(name), (*path, name), words.pattern)
    yield from all_judged(value.get("keep"), (*path, "keep"), words.regex)
    for number, rung in enumerate(items(value.get("ladder"))):
        yield from rung_faults(rung, (*path, "ladder", number), environments)
        if number and table(table(rung).get("codemod")).get("apply") == "once":
            what = "`apply: once` starts from the base, so it cannot go on from another rung"
            here = (*path, "ladder", number, "codemod", "apply")
            yield Fault(here, what, "make it the first rung")
    if "resolver" in value:
        yield from resolver_faults(value["resolver"], (*path, "resolver"), environments)
    if "split" in value:
        yield from split_faults(value["split"], (*path, "split"), environments)
    sites = table(value.get("sites"))
    for name in ("include", "exclude"):
        yield from all_judged(sites.get(name), (*path, "sites", name), words.pattern)
    for number, accepted in enumerate(items(sites.get("accept"))):
        here = (*path, "sites", "accept", number, "path")
        yield from judged(table(accepted).get("path"), here, words.pattern)


def _finders(sites: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    found = sites.get("find", [])
    for number, finder in enumerate(as_list(found)):
        yield (*path, number) if isinstance(found, list) else path, table(finder)


@dataclass(frozen=True)
class _Given:
    """A field of a phase, from where it was taken."""

    value: Any
    path: Path


def _given(data: dict[str, Any], phase: dict[str, Any], at: Path, name: str) -> _Given:
    if name in phase or name not in data:
        return _Given(phase.get(name), (*at, name))
    return _Given(data[name], (name,))


def _phases_faults(data: dict[str, Any]) -> Iterator[Fault]:
    """What phases must be once the defaults are filled in."""
    written = items(data.get("phases"))
    phases = [(("phases", n), table(p)) for n, p in enumerate(written)] or [((), {})]
    names: dict[str, int] = {}
    for number, (at, phase) in enumerate(phases):
        yield from _phase_faults(data, phase, at)
        name = phase.get("name")
        if isinstance(name, str) and name in names:
            what = f"`{name}` is the name of phase {names[name] + 1} already"
            yield Fault((*at, "name"), what, "give each phase a name of its own")
        elif name:
            names[str(name)] = number


def _phase_faults(data: dict[str, Any], phase: dict[str, Any], at: Path) -> Iterator[Fault]:
    sites = _given(data, phase, at, "sites")
    ladder = _given(data, phase, at, "ladder")
    if sites.value is None:
        advice = "say which files change: sites: {include: [...]}"
        yield Fault(sites.path, "`sites` is missing", advice)
    if ladder.value is None:
        advice = "say how a task is done: ladder: [{codemod: ...}, {claude: {}}]"
        yield Fault(ladder.path, "`ladder` is missing", advice)
    rungs = items(ladder.value)
    yield from _write_faults(data, phase, at, _Given(rungs, ladder.path))
    for path, finder in _finders(table(sites.value), (*sites.path, "find")):
        if "codemod" in finder and rungs and "codemod" not in table(rungs[0]):
            what = "the finder `codemod` needs a codemod as rung 1"
            yield Fault((*path, "codemod"), what, "put the codemod first, or find by `regex`")
    yield from _checked_faults(data, phase, at)


def _write_faults(
    data: dict[str, Any], phase: dict[str, Any], at: Path, ladder: _Given
) -> Iterator[Fault]:
    """A file that nobody may write would be dropped in silence."""
    given = [_given(data, phase, at, name).value for name in ("claims", "creates")]
    include = table(_given(data, phase, at, "sites").value).get("include", ["/**"])
    patterns = [p for found in (*given, include) for p in items(found) if isinstance(p, str)]
    if any(words.pattern(pattern) for pattern in patterns):
        return
    may_write = GitIgnoreSpec.from_lines(patterns)
    for number, rung in enumerate(ladder.value):
        for name in table(table(rung).get("write")):
            if words.file_inside(name) is None and not may_write.match_file(name):
                path = (*ladder.path, number, "write", name)
                what = f"nothing lets a task write {name}"
                yield Fault(path, what, "add it to `creates`, or to `claims` if it is there")


def _checked_faults(data: dict[str, Any], phase: dict[str, Any], at: Path) -> Iterator[Fault]:
    checks = table(data.get("checks"))
    named: list[Any] = items(phase.get("checks")) if "checks" in phase else list(checks)
    for number, name in enumerate(named):
        if isinstance(name, str) and name not in checks:
            advice = choices(name, checks)
            yield Fault((*at, "checks", number), f"unknown check `{name}`", advice)
    forms = {n: part(Check, checks[n]) for n in named if isinstance(n, str) and n in checks}
    if None in forms.values() or len(forms) < len(named) or not checks:
        return
    deep = items(table(data.get("landing")).get("deep"))
    if not any(is_judged_at_landing(check) for name, check in forms.items() if name not in deep):
        path = (*at, "checks") if "checks" in phase else ("checks",)
        advice = "give one check `at: [task, landing]` and an `expect` other than report"
        advice += ", and leave it out of `landing: {deep: …}`" if deep else ""
        yield Fault(path, "nothing is checked at landing", advice)
