"""Settings that say where runners look for tests, held against the tests that are there."""

import pytest

from tests.adapters.changes import broken, told

UNIT = "def test_unit():\n    assert unit() == 3\n"
SCRIPT = "test('menu', () => {\n  expect(menu()).toBe(3);\n});\n"
TREE = {
    "tests/test_a.py": UNIT,
    "tests/deep/test_b.py": UNIT,
    "shop/test_tools.py": "def made():\n    return 3\n",
    "web/src/a.test.js": SCRIPT,
    "web/it/b.test.js": SCRIPT,
}
INI, PROJECT = "[pytest]\naddopts = -q\n", "[tool.pytest.ini_options]\naddopts = '-q'\n"
JEST = "web/jest.config.js"


@pytest.mark.parametrize(
    ("path", "old", "new", "left_out"),
    [
        ("pytest.ini", INI, INI + "testpaths = tests/deep\n", "tests/test_a.py"),
        ("pytest.ini", None, "[pytest]\ntestpaths = nowhere\n", "tests/test_a.py and 1 more"),
        ("pyproject.toml", PROJECT, PROJECT + "testpaths = ['tests/deep']\n", "tests/test_a.py"),
        ("pytest.ini", INI, INI + "python_files = test_b*\n", "tests/test_a.py"),
        (JEST, "a = {}\n", "a = {\nroots: ['<rootDir>/src'],\n}\n", "web/it/b.test.js"),
        (JEST, "a = {}\n", "a = {\ntestMatch: ['**/src/*.js'],\n}\n", "web/it/b.test.js"),
    ],
)
def test_tests_that_stay_where_nobody_looks_any_more_are_told(
    path: str, old: str | None, new: str, left_out: str
) -> None:
    (said,) = told({path: (old, new)}, beside=TREE)
    assert said.startswith(f"configuration-weakened: {path}:")
    assert said.endswith(f"leaves out {left_out}")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pytest.ini", INI, INI + "testpaths = tests\n"),
        ("pytest.ini", INI, INI + "testpaths = ./tests/ more\n"),
        ("pytest.ini", INI, INI + "python_files = test_*.py check_*.py\n"),
        ("pytest.ini", INI + "testpaths = tests\n", INI),
        ("sub/pytest.ini", INI, INI + "testpaths = elsewhere\n"),
        (JEST, "a = {}\n", "a = {\nroots: ['<rootDir>'],\n}\n"),
        (JEST, "a = {}\n", "a = {\ntestMatch: ['**/?(*.)+(spec|test).js'],\n}\n"),
        ("other/jest.config.js", "a = {}\n", "a = {\nroots: ['<rootDir>/src'],\n}\n"),
    ],
)
def test_settings_that_leave_no_test_out_are_let_pass(path: str, old: str, new: str) -> None:
    assert told({path: (old, new)}, beside=TREE) == []


def test_where_all_tests_move_with_the_setting_nothing_is_left_out() -> None:
    setting = {"pytest.ini": (INI + "testpaths = tests\n", INI + "testpaths = tests/deep\n")}
    moved = {"tests/test_a.py": (UNIT, None), "tests/deep/test_a.py": (None, UNIT)}
    assert told({**setting, **moved}, beside=TREE) == []
    assert broken(setting, beside=TREE) == ["configuration-weakened:pytest.ini:3"]


def test_a_setting_of_a_file_that_pytest_does_not_read_says_nothing() -> None:
    beside = {**TREE, "pytest.ini": INI + "testpaths = tests\n"}
    change = {"pyproject.toml": (PROJECT, PROJECT + "testpaths = ['tests/deep']\n")}
    assert told(change, beside=beside) == []
