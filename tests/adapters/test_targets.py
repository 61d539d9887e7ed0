"""What a check is given for a path is what its first fitting rule says."""

import pytest

from activities.adapters.targets import targets
from activities.contracts.check_forms import Target

TESTS = {"from": r"(?:\w+/)*(?P<m>\w+)\.py", "to": "tests/test_{m}.py"}
TESTS_THAT_EXIST = {**TESTS, "exists": "tests/test_{m}.py"}
PACKAGE = {"from": r"(?P<top>[^/]+)/.+\.go", "to": "./{top}/..."}
SMOKE = {"from": ".*", "to": "tests/smoke"}


@pytest.mark.parametrize(
    ("rules", "paths", "found"),
    [
        ([TESTS], ["app/b.py", "app/a.py", "lib/a.py"], ["tests/test_a.py", "tests/test_b.py"]),
        ([TESTS], ["app/a.py.txt", "x app/a.py", "app/a.rst"], []),
        ([PACKAGE], ["ast/a.go", "ast/b/c.go", "main.go"], ["./ast/..."]),
        ([TESTS_THAT_EXIST], ["app/a.py", "app/none.py"], ["tests/test_a.py"]),
        ([TESTS_THAT_EXIST, SMOKE], ["app/a.py", "app/n.py"], ["tests/smoke", "tests/test_a.py"]),
        ([PACKAGE, SMOKE], ["a\nb/c\nd.go", "a\nb", "c\n"], ["./a\nb/...", "tests/smoke"]),
        ([SMOKE, TESTS], ["app/a.py"], ["tests/smoke"]),
        ([{"from": "(?P<a>x)?(?P<b>y)", "to": "{a}{b}"}], ["y"], ["y"]),
        ([{"from": "x", "to": "a {b"}], ["x"], ["a {b"]),
        ([], ["app/a.py"], []),
    ],
)
def test_paths_become_targets(rules: list[dict[str, str]], paths: list[str], found: list[str]):
    forms = [Target.model_validate(rule) for rule in rules]
    assert list(targets(forms, paths, lambda path: path == "tests/test_a.py")) == found
