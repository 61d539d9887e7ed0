"""What a path says about a file: tests, what they expect, what configures them.

A folder is any part before the name. Words of a name are what dots, hyphens and underscores part:
`test_a.py`, `a_test.go`, `a.spec.ts` and `conftest.py` are tests by their first word or by the last
before the suffix, Java's by how they begin or end.
"""

import re
from enum import Enum, auto

TEST_FOLDERS = frozenset(("test", "tests", "__tests__", "spec", "specs"))
FIRST_WORDS = frozenset(("test", "tests", "conftest"))
LAST_WORDS = frozenset(("test", "tests", "spec"))
EXPECTED_WORDS = frozenset(("snap", "ambr", "golden", "approved", "verified", "expected"))
"""Suffixes of what tests expect, wherever it is."""
EXPECTED_FOLDERS = frozenset(("__snapshots__", "__image_snapshots__"))
EXPECTED_IN_TESTS = frozenset(("snapshots", "golden", "goldens", "expected", "approved"))
"""Folders that count only below a folder of tests or `testdata`, as do these suffixes."""
EXPECTED_SUFFIXES_IN_TESTS = (".out", ".want", ".stdout", ".stderr")
CI_NAMES = frozenset(
    (
        *(".gitlab-ci.yml", ".gitlab-ci.yaml", ".travis.yml", "Jenkinsfile", ".drone.yml"),
        *("azure-pipelines.yml", "azure-pipelines.yaml", "bitbucket-pipelines.yml", ".cirrus.yml"),
        *("appveyor.yml", ".appveyor.yml", ".woodpecker.yml", "cloudbuild.yaml"),
    )
)
CONFIGURATION_NAMES = frozenset(
    (
        *("setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini", "pyproject.toml", ".coveragerc"),
        *(".flake8", ".pylintrc", "pylintrc", "mypy.ini", ".mypy.ini", ".bandit", "ruff.toml"),
        *(".ruff.toml", "pyrightconfig.json", "package.json", ".eslintignore", "tslint.json"),
        *("clippy.toml", ".clippy.toml", "checkstyle.xml", "tarpaulin.toml"),
        *CI_NAMES,
        ".pre-commit-config.yaml",
    )
)
CONFIGURATION_BEGINS = (
    *("jest.config.", "vitest.config.", "karma.conf.", ".mocharc", ".nycrc", ".c8rc", ".eslintrc"),
    *("eslint.config.", "tsconfig", "biome.json", ".golangci.", ".codecov.", "codecov."),
)
CONFIGURATION_FOLDERS = (
    *(".github/workflows/", ".forgejo/workflows/", ".gitea/workflows/", ".circleci/"),
    *(".gitlab/ci/", ".woodpecker/", ".azure-pipelines/", ".buildkite/", ".github/actions/"),
)
_UNSEEN_FOLDERS = frozenset(("node_modules", "venv"))
"""Folders that no runner looks into, as hidden ones."""
_JAVA_TEST = re.compile(r"Test[A-Z].*|.*(?:Tests?|TestCase|IT)")
_BREAKS = str.maketrans("-_", "..")


class Kind(Enum):
    """What the rules about tests see in a file."""

    TESTS = auto()
    EXPECTATION = auto()
    CONFIGURATION = auto()
    OTHER = auto()


def kind_of(path: str) -> Kind:
    """The most special thing that a path says."""
    *folders, name = path.split("/")
    in_tests = not TEST_FOLDERS.isdisjoint(folders)
    if _is_expected(folders, name, in_tests or "testdata" in folders):
        return Kind.EXPECTATION
    if (
        name in CONFIGURATION_NAMES
        or name.startswith(CONFIGURATION_BEGINS)
        or path.startswith(CONFIGURATION_FOLDERS)
    ):
        return Kind.CONFIGURATION
    return Kind.TESTS if in_tests or is_named_as_test(name) else Kind.OTHER


def is_of_ci(path: str) -> bool:
    """Whether a file of configuration is a service's that runs the checks."""
    return path.startswith(CONFIGURATION_FOLDERS) or path in CI_NAMES


def is_named_as_test(path: str) -> bool:
    """Whether the name alone says that a file is a test, whatever folder it is in."""
    name = path.rpartition("/")[2]
    words = name.translate(_BREAKS).split(".")
    if len(words) < 2:
        return False
    if words[0] in FIRST_WORDS or words[-2] in LAST_WORDS:
        return True
    return words[-1] == "java" and _JAVA_TEST.fullmatch(words[-2]) is not None


def may_be_collected(path: str) -> bool:
    """False where runners are known not to look for tests, unless they are told otherwise."""
    *folders, name = path.split("/")
    if any(folder.startswith(".") or folder in _UNSEEN_FOLDERS for folder in folders):
        return False
    match suffix_of(name):
        case ".go":
            ignored = any(folder.startswith("_") or folder == "testdata" for folder in folders)
            return name.endswith("_test.go") and not ignored
        case ".py":
            return name != "conftest.py" and is_named_as_test(name)
        case ".java":
            return is_named_as_test(name)
        case _:
            return True


def suffix_of(path: str) -> str:
    """`.py`; empty where there is none. Twenty times as fast as pathlib's."""
    dot = path.rfind(".")
    return path[dot:] if dot > path.rfind("/") else ""


def _is_expected(folders: list[str], name: str, in_tests: bool) -> bool:
    if not EXPECTED_WORDS.isdisjoint(name.split(".")[1:]):
        return True
    if not EXPECTED_FOLDERS.isdisjoint(folders):
        return True
    return in_tests and (
        not EXPECTED_IN_TESTS.isdisjoint(folders) or name.endswith(EXPECTED_SUFFIXES_IN_TESTS)
    )
