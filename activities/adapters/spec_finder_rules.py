"""What finders of a spec must keep."""

from collections.abc import Iterator, Mapping
from typing import Any

from activities.adapters import spec_words as words
from activities.adapters.spec_check_rules import runs_on_base
from activities.adapters.spec_messages import choices
from activities.adapters.spec_parts import judged, part
from activities.adapters.spec_problem import Fault, Path
from activities.adapters.syntax_search import LANGUAGES, rule_problem
from activities.contracts.placeholder_slots import all_slots
from activities.contracts.site_forms import AstGrepRule
from activities.contracts.spec import Check


def finder_faults(finder: dict[str, Any], path: Path, checks: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults of one finder."""
    yield from judged(finder.get("regex"), (*path, "regex"), words.line_regex)
    command = finder.get("command")
    if isinstance(command, str) and not command.strip():
        yield Fault((*path, "command"), "is empty", "write the command that prints the sites")
    for slot in all_slots(command) if isinstance(command, str) else ():
        if slot.name and not slot.name.startswith("vars."):
            what = f"a finder's command has no placeholders, such as `{{{slot.name}}}`"
            advice = f"search the whole tree; write {{{{{slot.name}}}}} for a literal one"
            yield Fault((*path, "command"), what, advice, offset=slot.start)
    if isinstance(name := finder.get("failing"), str):
        yield from _failing_faults(name, (*path, "failing"), checks)
    yield from _syntax_faults(finder.get("ast_grep"), (*path, "ast_grep"))


def _failing_faults(name: str, path: Path, checks: Mapping[str, Any]) -> Iterator[Fault]:
    if name not in checks:
        yield Fault(path, f"unknown check `{name}`", choices(name, checks))
        return
    check = part(Check, checks[name])
    if check is not None and not runs_on_base(check):
        what = f"`{name}` has nothing to run on a whole tree: its list is empty there"
        yield Fault(path, what, f"give `{name}` a `whole`")


def _syntax_faults(value: Any, path: Path) -> Iterator[Fault]:
    if isinstance(value, str):
        if not value.strip():
            yield Fault(path, "the pattern is empty", "write code, such as old($A)")
        return
    rule = part(AstGrepRule, value)
    if rule is None:
        return
    if rule.language is not None and rule.language not in LANGUAGES:
        advice = choices(rule.language, LANGUAGES)
        yield Fault((*path, "language"), f"unknown language `{rule.language}`", advice)
    elif problem := rule_problem(rule):
        yield Fault((*path, "rule"), f"ast-grep refuses the rule: {problem}", "see its rule pages")
