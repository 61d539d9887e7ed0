"""Whatever stands in the place of whatever value of a spec, the reader says what to write."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from activities.adapters.spec_file import SpecErrors, parse_any

LARGE: dict[str, Any] = {
    "version": 1,
    "name": "large",
    "repositories": [{"url": "/srv/a", "name": "a", "base": "b", "vars": {"x": "y"}}],
    "fleet": {"canary": 1, "concurrency": 2, "stop_after": 3},
    "base": "main",
    "objective": "Better.",
    "vars": {"x": "z", "many": ["a"]},
    "sites": {
        "include": ["/{vars.x}/**"],
        "exclude": ["/x"],
        "find": [
            {"regex": "old"},
            {"ast_grep": {"rule": {"pattern": "x"}, "language": "python"}},
            {"command": "grep -l x"},
            {"codemod": True},
            {"failing": "unit"},
        ],
        "accept": [{"path": "/x", "max": 1, "reason": "r"}],
    },
    "split": {"by": "directory", "depth": 1, "max_files": 2, "order": "sites"},
    "ladder": [
        {"codemod": {"run": "x {files}", "in": "a", "batch": 2, "exit": [0], "timeout": "1m"}},
        {"write": {"x.py": "y"}},
        {"claude": {"model": "m", "turns": 3, "advice": "a"}},
        {"command": {"run": ["x", "{prompt}"], "in": "a", "env": {"A": "b"}, "dir": "x"}},
    ],
    "environments": {
        "a": {"python": "3.11", "pip": ["x==1"], "npm": ["x@1.2.3"], "requires": ["git"]},
        "b": {
            "toolchains": ["go@1.26"],
            "prepare": "x",
            "inputs": ["go.mod"],
            "checkout": "full",
            "network": ["go"],
            "writable": ["x"],
            "mounts": ["/srv/m"],
            "setup": "y",
            "path": ["bin"],
            "timeout": "1m",
        },
    },
    "checks": {
        "unit": {
            "run": "x {targets}",
            "in": "a",
            "at": {"landing": "no_worse", "end": {"same_as": "other"}},
            "results": "tap",
            "ids": [{"replace": "a", "with": "b"}],
            "targets": [{"from": "(?P<m>.*)", "to": "{m}", "exists": "x"}],
            "whole": "all",
            "otherwise": "whole",
            "allow": [{"id": "x", "reason": "r"}],
            "may_shrink": True,
            "retries": 1,
            "batch": 2,
        },
        "other": {
            "run": "y",
            "in": "b",
            "at": ["landing"],
            "expect": "pass",
            "results": {"pass": "(?P<id>x)", "count": "(?P<n>x)"},
            "results_from": ["x.xml"],
        },
    },
    "phases": [{"name": "p", "checks": ["unit"], "claims": ["/c"], "creates": ["x.py"]}],
    "keep": ["k"],
    "protect": ["/p"],
    "integrity": [{"rule": "tests-deleted", "paths": ["/t"], "reason": "r"}],
    "limits": {"concurrency": 1, "attempts": 1, "days": 1, "memory": "1GiB", "usd": 1.5},
    "approvals": ["plan"],
    "delivery": {"branch": "x"},
}
OTHERS: tuple[Any, ...] = (None, True, 7, 1.5, "", "word", [], ["a"], [[]], {}, {"a": "b"})
NOT_OURS = ("Input should", "SPEC", "None", "True", "False", "docs/", "[type=")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, name))


def test_the_large_spec_is_a_good_one() -> None:
    parse_any(json.dumps(LARGE), "spec.yaml")


@pytest.mark.parametrize("first", range(len(OTHERS)))
def test_any_other_value_anywhere_is_taken_or_told_with_what_to_write(first: int) -> None:
    for number, path in enumerate(places(LARGE)):
        if (number + first) % len(OTHERS):
            continue  # one of them for each place is enough to keep the whole kind
        other = OTHERS[(number // len(OTHERS) + first) % len(OTHERS)]
        spec = copy.deepcopy(LARGE)
        around: Any = spec
        for step in path[:-1]:
            around = around[step]
        around[path[-1]] = other
        try:
            parse_any(json.dumps(spec), "spec.yaml")
        except SpecErrors as errors:
            for problem in errors.problems:
                assert problem.what, (path, problem)
                assert problem.advice, (path, problem)
                assert not any(word in str(problem) for word in NOT_OURS), (path, str(problem))
