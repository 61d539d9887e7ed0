"""The gate's rules about what stands beside tests: what they expect, what configures them, and the
comments that silence other checks.
"""

import pytest

from activities.contracts.integrity import IntegrityRule, Waiver
from tests.adapters.changes import broken, told


@pytest.mark.parametrize(
    "path",
    [
        "ui/__snapshots__/a.test.js.snap",
        "tests/__snapshots__/test_a.ambr",
        "pkg/testdata/a.golden",
        "pkg/testdata/golden/a.json",
        "tests/expected/a.txt",
        "tests/ui/a.stderr",
        "src/snapshots/crate__a.snap",
    ],
)
def test_what_tests_expect_may_be_added_and_moved_but_not_changed(path: str) -> None:
    assert broken({path: ("a\nb\n", "a\nc\n")}) == [f"expectations-rewritten:{path}:2"]
    assert broken({path: ("a\n", None)}) == [f"expectations-rewritten:{path}"]
    assert told({path: (None, "a\n")}) == []
    assert told({path: ("a\n", None), f"more/{path}": (None, "a\n")}) == []
    waiver = Waiver(rule=IntegrityRule.EXPECTATIONS_REWRITTEN, paths=("*",), reason="new format")
    assert told({path: ("a\nb\n", "a\nc\n")}, waiver) == []


@pytest.mark.parametrize("path", ["src/expected/a.txt", "src/golden/a.go", "tests/data/a.txt"])
def test_what_only_looks_expected_may_change(path: str) -> None:
    assert told({path: ("a\n", "b\n")}) == []


WEAKENED = [
    ("pyproject.toml", "[tool.coverage.report]\nfail_under = 90\n", ("90", "80"), 2),
    ("pyproject.toml", "[tool.coverage.report]\nfail_under = 90\n", ("fail_under = 90\n", ""), 2),
    ("setup.cfg", "[tool:pytest]\naddopts = --cov-fail-under=90\n", ("=90", "=10"), 2),
    (
        "package.json",
        '{"jest": {"coverageThreshold": {"lines": 80}}}\n',
        ("80", "8"),
        1,
    ),
    ("jest.config.js", "module.exports = {\n  branches: 75.5,\n};\n", ("75.5", "75"), 2),
    ("codecov.yml", "coverage:\n  status:\n    target: 80%\n", ("80%", "70%"), 3),
    ("pyproject.toml", '[tool.ruff.lint]\nignore = ["E1"]\n', ('"E1"', '"E1", "F8"'), 2),
    ("ruff.toml", 'ignore = [\n  "E1",\n]\n', ('"E1",\n', '"E1",\n  "F821",\n'), 3),
    ("ruff.toml", '[lint.per-file-ignores]\n"a.py" = ["E1"]\n', ('["E1"]', '["E1", "F8"]'), 2),
    (".flake8", "[flake8]\nextend-ignore =\n  E1\n", ("  E1\n", "  E1\n  F8\n"), 4),
    ("setup.cfg", "[coverage:run]\nbranch = true\n", ("true", "true\nomit = app/hard.py"), 3),
    ("mypy.ini", "[mypy]\nstrict = True\n", ("True", "False"), 2),
    ("mypy.ini", "[mypy]\nstrict = True\n", ("True\n", "True\nignore_errors = True\n"), 3),
    ("tsconfig.json", '{\n  "strict": true\n}\n', ("true", "false"), 2),
    (".eslintrc.json", '{"rules": {\n  "eqeqeq": "error"\n}}\n', ('"error"', '"off"'), 2),
    (".eslintrc.yml", "rules:\n  eqeqeq: error\n", ("error", "error\n  no-eval: off"), 3),
    (".eslintignore", "dist\n", ("dist\n", "dist\nsrc/hard.js\n"), 2),
    (".golangci.yml", "linters:\n  disable:\n    - lll\n", ("- lll", "- lll\n    - errcheck"), 4),
    ("pytest.ini", "[pytest]\naddopts = -q\n", ("-q", "-q --deselect tests/test_a.py"), 2),
    (".github/workflows/ci.yml", "  - run: make test\n", ("test", "test || true"), 1),
    (".github/workflows/ci.yml", "  - run: x\n", ("x\n", "x\n    continue-on-error: true\n"), 2),
    ("tox.ini", "[testenv]\ncommands = pytest\n", ("pytest", "pytest\nignore_outcome = true"), 3),
]


@pytest.mark.parametrize(("path", "text", "edit", "line"), WEAKENED)
def test_configuration_that_asks_for_less_is_told(
    path: str, text: str, edit: tuple[str, str], line: int
) -> None:
    assert edit[0] in text
    after = text.replace(*edit)
    assert broken({path: (text, after)}) == [f"configuration-weakened:{path}:{line}"]
    assert told({path: (after, text)}) == [], "the way back asks for more"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (
            "pyproject.toml",
            "[tool.hatch.build]\nexclude = []\n",
            '[tool.hatch.build]\nexclude = ["t"]\n',
        ),
        (
            "setup.cfg",
            "[options]\ninstall_requires = requests>=2\n",
            "[options]\ninstall_requires = httpx>=0.27\n",
        ),
        ("ruff.toml", 'exclude = ["old"]\n', 'exclude = ["new"]\n'),
        ("ruff.toml", 'ignore = ["A", "B"]\n', 'ignore = [\n  "A",\n  "B",\n]\n'),
        ("ruff.toml", "line-length = 80\n", "# ignore = E1\nline-length = 100\n"),
        ("mypy.ini", "[mypy]\npython_version = 3.8\n", "[mypy]\npython_version = 3.12\n"),
        ("package.json", '{"version": "1.0.0"}\n', '{"version": "2.0.0", "type": "module"}\n'),
        ("tsconfig.json", '{"target": "es5"}\n', '{"target": "es2020"}\n'),
        ("jest.config.js", "branches: 80,\n", "branches: 90,\n"),
        (".github/workflows/ci.yml", "go-version: 1.17\n", "go-version: 1.26\n"),
    ],
)
def test_configuration_that_asks_for_other_things_is_let_pass(
    path: str, old: str, new: str
) -> None:
    assert told({path: (old, new)}) == []


def test_configuration_may_move_to_another_file_with_what_it_asks_for() -> None:
    old, new = "[report]\nfail_under = 90\n", "[tool.coverage.report]\nfail_under = 90\n"
    assert told({".coveragerc": (old, None), "pyproject.toml": ("[project]\n", new)}) == []
    assert broken({".coveragerc": (old, None)}) == [
        "configuration-weakened:.coveragerc",
        "configuration-weakened:.coveragerc:2",
    ]
    lower = new.replace("90", "50")
    assert broken({".coveragerc": (old, None), "pyproject.toml": ("[project]\n", lower)}) == [
        "configuration-weakened:.coveragerc:2"
    ]


def test_a_conftest_must_not_take_over_which_tests_run() -> None:
    old = "import pytest\n\n\n@pytest.fixture\ndef app():\n    return 1\n"
    hook = "\n\ndef pytest_collection_modifyitems(items):\n    items.clear()\n"
    skip = "\n\n@pytest.fixture(autouse=True)\ndef later():\n    pytest.skip('later')\n"
    path = "tests/conftest.py"
    assert broken({path: (old, old + hook)}) == [f"configuration-weakened:{path}:9"]
    assert broken({path: (None, hook)}) == [f"configuration-weakened:{path}:3"]
    found = broken({path: (old, old + skip)})
    assert found == [f"tests-skipped:{path}:11", f"configuration-weakened:{path}:9"]
    assert told({path: (old + hook, hook + old)}) == []
    assert told({path: (old, old.replace("return 1", "return 2"))}) == []


SILENCED = [
    ("app/a.py", "import x\n", "import x  # noqa: F401\n"),
    ("app/a.py", "a = f()\n", "a = f()  # type: ignore[arg-type]\n"),
    ("app/a.py", "a = f()\n", "a = f()  # pragma: no cover\n"),
    ("tests/test_a.py", "a = f()\n", "# pylint: disable=all\n"),
    ("src/a.ts", "f()\n", "// @ts-ignore\n"),
    ("src/a.js", "f()\n", "/* eslint-disable */\n"),
    ("a.go", "f()\n", "f() //nolint:errcheck\n"),
    ("src/a.rs", "fn f() {}\n", "#[allow(dead_code)]\n"),
    ("src/A.java", "int a;\n", '@SuppressWarnings("all")\n'),
    ("src/a.cc", "f();\n", "f();  // NOLINT\n"),
]


@pytest.mark.parametrize(("path", "line", "silenced"), SILENCED)
def test_a_comment_that_silences_a_checker_is_told_when_it_is_added(
    path: str, line: str, silenced: str
) -> None:
    assert broken({path: (line, "\n" + silenced)}) == [f"checks-silenced:{path}:2"]
    assert broken({path: (None, silenced)}) == [f"checks-silenced:{path}:1"]
    assert told({path: (silenced, "\n" + silenced)}) == []
    assert told({path: (silenced, line)}) == []
    there = f"more/{path}"
    assert told({path: (silenced, None), there: (None, silenced)}) == []
    assert told({path: (silenced, line), there: (line, silenced)}) == []


def test_words_that_only_speak_of_silencing_are_let_pass() -> None:
    change = {
        "README.md": ("a\n", "write # noqa\n"),
        "app/a.py": ("a\n", 'a = "eslint-disable"\n# the type: ignored\n'),
        "src/a.rs": ("a\n", 'fn allow(x: u8) {}\nlet a = r.expect("x");\n'),
    }
    assert told(change) == []


def test_a_test_in_a_language_nobody_reads_is_told_when_its_file_is_gone() -> None:
    assert broken({"test/test_login.sh": ("x\n", None)}) == ["tests-deleted:test/test_login.sh"]
    assert told({"test/data.txt": ("x\n", None), "test/run.sh": ("x\n", "y\n")}) == []
    assert told({"test/test_a.sh": ("x\n", None), "test/test_b.sh": (None, "x\n")}) == []
