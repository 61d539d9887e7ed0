"""What checks of a spec must keep: in what they run, and in what they make of its results."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from activities.adapters import spec_words as words
from activities.adapters.bounded_regex import groups, template_problem
from activities.adapters.spec_command_rules import run_faults
from activities.adapters.spec_messages import choices
from activities.adapters.spec_parts import all_judged, all_patterns, items, judged, part, table
from activities.adapters.spec_problem import Fault, Path
from activities.adapters.targets import named_groups
from activities.contracts.check_forms import Expectation, ResultKind, SameAs
from activities.contracts.evidence import Moment
from activities.contracts.placeholder_faults import unknown_words
from activities.contracts.placeholder_slots import FILES_FILE, LISTS, PROMPTS, all_slots, slots
from activities.contracts.placeholders import list_placeholder
from activities.contracts.spec import Check

_RESULTS = re.compile(r"\$\{?RESULTS\b")
_NAMED = "junit, tap, go, cargo, unittest or a map"
_GROUPS = {"pass": "id", "fail": "id", "skip": "id", "count": "n"}


def check_faults(
    name: str, checks: Mapping[str, Any], environments: Iterable[str]
) -> Iterator[Fault]:
    """The faults of one check."""
    value, path = checks[name], ("checks", name)
    check = part(Check, value)
    if check is None:
        return
    yield from run_faults(check, value, path, environments)
    yield from _result_faults(check, path)
    yield from _covers_faults(check, table(value), path)
    yield from _pattern_faults(table(table(value).get("results")), (*path, "results"))
    for number, rule in enumerate(items(table(value).get("ids"))):
        yield from _normalisation_faults(table(rule), (*path, "ids", number))
    yield from _target_faults(check, table(value), path)
    yield from _expectation_faults(check, table(value), path, checks)
    yield from _list_faults(check, table(value), path)


def is_judged_at_landing(check: Check | None) -> bool:
    """Whether a batch could be refused for what this check says."""
    if check is None or Moment.LANDING not in check.moments:
        return False
    return check.expected_at(Moment.LANDING) != Expectation.REPORT


def landing_faults(landing: Mapping[str, Any], checks: Mapping[str, Any]) -> Iterator[Fault]:
    """Every check at landing is either waited for or deep, and no other one is named."""
    named: dict[str, Path] = {}
    for field in ("checks", "deep"):
        for number, name in enumerate(items(landing.get(field))):
            path = ("landing", field, number)
            if not isinstance(name, str):
                continue
            check = part(Check, checks[name]) if name in checks else None
            if name not in checks:
                yield Fault(path, f"unknown check `{name}`", choices(name, checks))
            elif name in named:
                yield Fault(path, f"`{name}` is named twice", "a batch waits for it, or it is deep")
            elif check and Moment.LANDING not in check.moments:
                advice = f"say `at: [landing]` under checks.{name}"
                yield Fault(path, f"`{name}` does not run at landing", advice)
            named[name] = path
    covered = any(table(value).get("covers") for value in checks.values())
    if landing.get("budget") and not items(landing.get("deep")) and not covered:
        what = "an error budget, and nothing runs behind the landings"
        yield Fault(("landing", "budget"), what, "name checks in `deep`, or remove it", on_key=True)
    if landing.get("budget") == {}:
        advice = "say how much may be red, such as `reds: 0` or `age: 4h`, or remove it"
        yield Fault(
            ("landing", "budget"), "an error budget that limits nothing", advice, on_key=True
        )
    for name, value in checks.items() if landing.get("checks") else ():
        check = part(Check, value)
        if check and Moment.LANDING in check.moments and name not in named:
            advice = f"add `{name}` to `checks` or `deep`, or take landing out of its `at`"
            yield Fault(
                ("landing", "checks"), f"`{name}` runs at landing and is in neither", advice
            )


def runs_on_base(check: Check) -> bool:
    """Whether it runs without a task's paths: it has no list, or something stands for it."""
    return list_placeholder(check.run) is None or check.whole is not None or _has_otherwise(check)


def _has_otherwise(check: Check) -> bool:
    return check.otherwise not in ("skip", "whole")


def _result_faults(check: Check, path: Path) -> Iterator[Fault]:
    run = check.run if isinstance(check.run, str) else " ".join(check.run)
    writes = _RESULTS.search(run) is not None
    yield from all_judged(list(check.results_from), (*path, "results_from"), words.pattern)
    if check.results == ResultKind.JUNIT and not (writes or check.results_from):
        advice = "let the command write its report there, such as --junitxml=$RESULTS, or name its"
        advice += " files in `results_from`"
        yield Fault((*path, "run"), "`results: junit` and no $RESULTS in `run`", advice)
    if check.results != ResultKind.EXIT:
        return
    if writes:
        what = "`run` writes $RESULTS, and `results: exit` does not read it"
        yield Fault((*path, "results"), what, "add `results: junit`")
    if check.results_from:
        what = "`results: exit` reads no reports"
        yield Fault((*path, "results_from"), what, "add `results: junit`")
    for name, given in (("allow", check.allow), ("ids", check.ids)):
        if given:
            what = f"`{name}` names results, and `results: exit` has none"
            yield Fault(
                (*path, name), what, "use results: junit, tap, go, cargo, unittest or a map"
            )


def _covers_faults(check: Check, value: dict[str, Any], path: Path) -> Iterator[Fault]:
    yield from all_patterns(value.get("covers"), (*path, "covers"))
    if "covers" in value and not {Moment.TASK, Moment.LANDING} & {*check.moments}:
        advice = "remove it: at phase and end every check runs, whatever changed"
        yield Fault((*path, "covers"), "`covers` without a task or landing to choose for", advice)


def _pattern_faults(patterns: dict[str, Any], path: Path) -> Iterator[Fault]:
    for name, group in _GROUPS.items():
        pattern = patterns.get(name)
        if not isinstance(pattern, str):
            continue
        if words.regex(pattern) is not None:
            yield from judged(pattern, (*path, name), words.regex)
        elif group not in groups(pattern):
            what = f"the pattern has no group `{group}`"
            yield Fault((*path, name), what, f"write (?P<{group}>...) around what it is")


def _normalisation_faults(rule: dict[str, Any], path: Path) -> Iterator[Fault]:
    pattern, template = rule.get("replace"), rule.get("with")
    if not isinstance(pattern, str) or not isinstance(template, str):
        return
    if words.regex(pattern) is not None:
        yield from judged(pattern, (*path, "replace"), words.regex)
    elif problem := template_problem(pattern, template):
        known = _known_groups(groups(pattern))
        yield Fault((*path, "with"), f"the replacement cannot be filled in: {problem}", known)


def _target_faults(check: Check, value: dict[str, Any], path: Path) -> Iterator[Fault]:
    used = any(slot.name == "targets" for slot in all_slots(check.run))
    if used and "targets" not in value:
        advice = "say what a path's targets are: targets: [{from: ..., to: ...}]"
        yield Fault((*path, "run"), "`{targets}` without `targets`", advice)
    if used and value.get("targets") == []:
        yield Fault((*path, "targets"), "is empty", "add a rule: {from: ..., to: ...}")
    if "targets" in value and not used:
        yield Fault((*path, "targets"), "`targets` without `{targets}`", "put {targets} into `run`")
    for number, rule in enumerate(items(value.get("targets"))):
        here = (*path, "targets", number)
        pattern = table(rule).get("from")
        yield from judged(pattern, (*here, "from"), words.regex)
        yield from judged(table(rule).get("exists"), (*here, "exists"), words.inside)
        if not isinstance(pattern, str) or words.regex(pattern) is not None:
            continue
        known = {group for group in groups(pattern) if not group.isdigit()}
        for name in ("to", "exists"):
            text = table(rule).get(name)
            for group in named_groups(text) if isinstance(text, str) else ():
                if group not in known:
                    what, at = f"`from` has no group `{group}`", str(text).find(f"{{{group}}}")
                    yield Fault((*here, name), what, _known_groups(known), offset=at)


def _known_groups(known: Iterable[str]) -> str:
    names = sorted(name for name in known if name != "0")
    return f"known here: {', '.join(names)}" if names else "write (?P<name>...) around what it is"


def _expectation_faults(
    check: Check, value: dict[str, Any], path: Path, checks: Mapping[str, Any]
) -> Iterator[Fault]:
    at = value.get("at")
    if isinstance(at, dict) and "expect" in value:
        advice = "say it for each moment in `at`, and remove `expect`"
        yield Fault((*path, "expect"), "`expect` beside a map of moments", advice, on_key=True)
    expected = [(check.expect, (*path, "expect"))]
    if isinstance(check.at, dict):
        expected = [(expect, (*path, "at", moment)) for moment, expect in check.at.items()]
    for expect, place in expected:
        if isinstance(expect, SameAs):
            yield from _same_as_faults(expect.same_as, (*place, "same_as"), checks)
    if Moment.TASK in check.moments and isinstance(check.expected_at(Moment.TASK), SameAs):
        place = (*path, "at", Moment.TASK) if isinstance(check.at, dict) else (*path, "expect")
        if list_placeholder(check.run) is not None:
            what = "a task's part cannot be the same as a whole run"
            yield Fault(place, what, "expect it at landing, phase or end")


def _same_as_faults(name: str, path: Path, checks: Mapping[str, Any]) -> Iterator[Fault]:
    if name not in checks:
        yield Fault(path, f"unknown check `{name}`", choices(name, checks))
        return
    other = part(Check, checks[name])
    if other is None:
        return
    if not runs_on_base(other):
        what = f"`{name}` has nothing to run on the base: its list is empty there"
        yield Fault(path, what, f"give `{name}` a `whole`")
    if other.results == ResultKind.EXIT:
        advice = f"give `{name}` results: {_NAMED}"
        yield Fault(path, f"`{name}` has no results to be the same as", advice)


def _list_faults(check: Check, value: dict[str, Any], path: Path) -> Iterator[Fault]:
    """What is only meant with a list placeholder."""
    if list_placeholder(check.run) is None:
        for name in ("whole", "otherwise", "batch"):
            if name in value:
                advice = f"put {{files}} or {{dirs}} into `run`, or remove `{name}`"
                yield Fault((*path, name), f"`{name}` without a list placeholder", advice)
        return
    if check.otherwise == "whole" and check.whole is None:
        advice = "add `whole`, or write the text to use"
        yield Fault((*path, "otherwise"), "`otherwise: whole` without `whole`", advice)
    texts = {"whole": check.whole, "otherwise": check.otherwise}
    for name, text in texts.items():
        if text is not None and (name == "whole" or _has_otherwise(check)):
            yield from _replacement_faults(text, (*path, name), check)


def _replacement_faults(text: str, path: Path, check: Check) -> Iterator[Fault]:
    """The faults of a text that takes the place of a list."""
    if any(slot.name == FILES_FILE for slot in all_slots(check.run)):
        yield Fault(path, "a text cannot take the place of {files_file}", "use {files} in `run`")
    for name in unknown_words((text,)):
        at = next(slot.start for slot in slots(text) if slot.name == name)
        advice = f"write what it stands for, or {{{{{name}}}}} for a literal {{{name}}}"
        yield Fault(path, f"unknown placeholder `{{{name}}}`", advice, offset=at)
    for slot in slots(text):
        if slot.name in LISTS or slot.name in (FILES_FILE, *PROMPTS):
            what = f"`{{{slot.name}}}` is what this replaces"
            yield Fault(path, what, "write paths", offset=slot.start)
    try:
        shlex.split(text)
    except ValueError:
        yield Fault(path, "a quote is open in it", "close the quote")
