"""Small specs for tests of the reader, and the problems it has with them."""

import re

import pytest

from activities.adapters.spec_file import SpecErrors, parse_spec

GOOD = {
    "version": "version: 1",
    "name": "name: demo",
    "repository": "repository: /srv/demo.git",
    "objective": "objective: Better.",
    "sites": 'sites: {include: ["/src/**"], find: {regex: old}}',
    "ladder": 'ladder: [{codemod: "fix {files}"}]',
    "environments": 'environments: {tool: {python: "3.11", pip: [pytest==8.3.5]}}',
    "checks": 'checks: {unit: {run: "pytest {files}"}}',
}


def spec(*changes: str) -> str:
    """The smallest good spec with top-level fields replaced, added or, after a dash, removed."""
    fields = dict(GOOD)
    for change in changes:
        name = change.partition(":")[0].strip("§-")
        fields[name] = change
        if change.startswith("-"):
            del fields[name]
    return "\n".join(fields.values()) + "\n"


def errors_of(text: str) -> SpecErrors:
    with pytest.raises(SpecErrors) as caught:
        parse_spec(text, "spec.yaml")
    return caught.value


def placed(changes: str) -> tuple[str, tuple[int, int]]:
    """A spec with the changes made, and where its mark stood."""
    text = spec(*re.split(r"\n(?=§?[a-z]+:|-)", changes))
    before = text[: text.index("§")]
    return text.replace("§", ""), (before.count("\n") + 1, len(before) - before.rfind("\n"))


def assert_told(changes: str, advice: str) -> None:
    """The mistake is told once, where its mark stands, and what is said holds the advice."""
    text, place = placed(changes)
    problems = errors_of(text).problems
    assert [str(p) for p in problems if advice in str(p)], problems
    assert [(p.line, p.column) for p in problems] == [place], problems
