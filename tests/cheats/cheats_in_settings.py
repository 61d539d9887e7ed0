"""What judges the tests, made to ask for less: none of these may land."""

from tests.cheats.cases import Case, changed

CI, PROJECT, TSCONFIG = ".github/workflows/ci.yml", "pyproject.toml", "tsconfig.json"
WEAK = "configuration-weakened"
WORKFLOW = """
    on: push
    jobs:
      unit:
        steps:
          - run: make lint
          - run: make test
    """
PYPROJECT = """
    [project]
    name = "shop"

    [tool.pytest.ini_options]
    testpaths = ["tests", "integration"]
    addopts = "-q"

    [tool.coverage.report]
    fail_under = 90

    [tool.ruff.lint]
    select = ["E", "F", "B"]
    ignore = ["E501"]
    """
CONFTEST = """
    import pytest


    @pytest.fixture
    def shop():
        return object()
    """

CHEATS: dict[str, Case] = {
    "pytest deselects a test": changed(
        PROJECT,
        PYPROJECT,
        '"-q"',
        '"-q --deselect tests/test_a.py::test_b"',
        f"{WEAK}: {PROJECT}:6",
    ),
    "pytest runs by an expression": changed(
        PROJECT, PYPROJECT, '"-q"', "\"-q -k 'not slow'\"", f"{WEAK}: {PROJECT}:6"
    ),
    "pytest runs by a mark": changed(
        PROJECT, PYPROJECT, '"-q"', '["-q", "-m", "not slow"]', f"{WEAK}: {PROJECT}:6"
    ),
    "pytest looks into fewer folders": changed(
        PROJECT, PYPROJECT, '["tests", "integration"]', '["tests"]', f"{WEAK}: {PROJECT}:5"
    ),
    "a new pytest.ini deselects": Case(
        {"src/shop.py": "a = 1\n"},
        {"pytest.ini": "[pytest]\naddopts = --ignore=tests/test_hard.py\n"},
        (f"{WEAK}: pytest.ini:2",),
    ),
    "coverage asks for less": changed(PROJECT, PYPROJECT, "90", "60", f"{WEAK}: {PROJECT}:9"),
    "coverage asks for nothing": changed(
        PROJECT, PYPROJECT, "fail_under = 90\n", "", f"{WEAK}: {PROJECT}:9"
    ),
    "a lint rule is ignored": changed(
        PROJECT, PYPROJECT, '["E501"]', '["E501", "F841"]', f"{WEAK}: {PROJECT}:13"
    ),
    "a lint rule is selected no more": changed(
        PROJECT, PYPROJECT, '["E", "F", "B"]', '["E", "F"]', f"{WEAK}: {PROJECT}:12"
    ),
    "a conftest leaves files out": changed(
        "tests/conftest.py",
        CONFTEST,
        "import pytest\n",
        'import pytest\n\ncollect_ignore = ["test_hard.py"]\n',
        "tests-skipped: tests/conftest.py:3",
    ),
    "a conftest takes tests out": changed(
        "tests/conftest.py",
        CONFTEST,
        "import pytest\n",
        "import pytest\n\n\ndef pytest_collection_modifyitems(items):\n    del items[5:]\n",
        f"{WEAK}: tests/conftest.py:4",
    ),
    "a conftest runs what it likes": changed(
        "tests/conftest.py",
        CONFTEST,
        "import pytest\n",
        "import pytest\n\n\ndef pytest_runtestloop(session):\n    return True\n",
        f"{WEAK}: tests/conftest.py:4",
    ),
    "a conftest chooses by an option": changed(
        "tests/conftest.py",
        CONFTEST,
        "import pytest\n",
        "import pytest\n\n\ndef pytest_configure(config):\n    config.option.keyword = 'easy'\n",
        f"{WEAK}: tests/conftest.py:5",
    ),
    "types are no longer strict": changed(
        TSCONFIG,
        '{\n  "strict": true,\n  "target": "es2020"\n}\n',
        "true",
        "false",
        f"{WEAK}: {TSCONFIG}:2",
    ),
    "types are no longer said to be strict": changed(
        TSCONFIG,
        '{\n  "strict": true,\n  "target": "es2020"\n}\n',
        '  "strict": true,\n',
        "",
        f"{WEAK}: {TSCONFIG}:2",
    ),
    "a script's lint rule is off": changed(
        ".eslintrc.json",
        '{"rules": {\n  "no-eval": "error"\n}}\n',
        "error",
        "off",
        f"{WEAK}: .eslintrc.json:2",
    ),
    "a step of CI cannot fail": changed(
        CI, WORKFLOW, "run: make test", "run: make test || true", f"{WEAK}: {CI}:6"
    ),
    "CI goes on after an error": changed(
        CI,
        WORKFLOW,
        "- run: make test",
        "- run: make test\n        continue-on-error: true",
        f"{WEAK}: {CI}:7",
    ),
    "a workflow of CI is deleted": Case({CI: WORKFLOW}, {CI: None}, (f"{WEAK}: {CI}",)),
    "a workflow of CI is deleted beside an honest setting": Case(
        {CI: WORKFLOW, "package.json": '{"version": "1.0.0"}\n'},
        {CI: None, "package.json": '{"version": "1.1.0"}\n'},
        (f"{WEAK}: {CI}",),
    ),
    "a snapshot is rewritten": changed(
        "ui/__snapshots__/menu.test.js.snap",
        "exports[`menu 1`] = `\n<ul>\n  <li>Tea</li>\n</ul>\n`;\n",
        "<li>Tea</li>",
        "<li></li>",
        "expectations-rewritten: ui/__snapshots__/menu.test.js.snap:3",
    ),
    "what a test expects is changed": changed(
        "cmd/testdata/help.golden",
        "usage: opa\n  fmt\n  test\n",
        "  test\n",
        "",
        "expectations-rewritten: cmd/testdata/help.golden:3",
    ),
    "what a test expects is deleted": Case(
        {"cmd/testdata/help.golden": "usage: opa\n"},
        {"cmd/testdata/help.golden": None},
        ("expectations-rewritten: cmd/testdata/help.golden",),
    ),
    "a line is kept from lint": changed(
        "src/a.py", "import os\n", "os\n", "os  # noqa: F401\n", "checks-silenced: src/a.py:1"
    ),
    "a line is kept from the types": changed(
        "src/a.py",
        "import os\n\na: int = os.name\n",
        "name\n",
        "name  # type: ignore\n",
        "checks-silenced: src/a.py:3",
    ),
    "a script's line is kept from the types": changed(
        "src/a.ts",
        "\nconst a: number = f();\n",
        "const",
        "// @ts-ignore\nconst",
        "checks-silenced: src/a.ts:1",
    ),
    "a Go line is kept from lint": changed(
        "a/a.go", "package a\n\nvar a = f()\n", "f()", "f() //nolint", "checks-silenced: a/a.go:3"
    ),
    "a Rust function is kept from lint": changed(
        "src/a.rs", "fn a() {}\n", "fn", "#[allow(dead_code)]\nfn", "checks-silenced: src/a.rs:1"
    ),
    "tests move out of where pytest is told to look": Case(
        {
            "pytest.ini": "[pytest]\ntestpaths = tests\n",
            "tests/unit/test_stock.py": "def test_stock():\n    assert stock() == 3\n",
        },
        {
            "tests/unit/test_stock.py": None,
            "shop/test_stock.py": "def test_stock():\n    assert stock() == 3\n",
        },
        ("tests-deleted: tests/unit/test_stock.py:1",),
    ),
    "a step of CI only says something": changed(
        CI, WORKFLOW, "run: make test", "run: echo tests passed", f"{WEAK}: {CI}:6"
    ),
    "a step of several lines only says something": changed(
        ".gitlab-ci.yml",
        "unit:\n  script:\n    - make build\n    - make test\n",
        "- make test",
        "- 'true'",
        f"{WEAK}: .gitlab-ci.yml:4",
    ),
    "a package's tests only say something": changed(
        "web/package.json",
        '{"scripts": {\n  "build": "tsc",\n  "test": "jest --ci"\n}}\n',
        "jest --ci",
        "echo no tests && exit 0",
        f"{WEAK}: web/package.json:3",
    ),
    "a script's lint rule is not named any more": changed(
        "web/.eslintrc.json",
        '{"rules": {\n  "no-eval": "error",\n  "no-var": ["error", "never"]\n}}\n',
        ',\n  "no-var": ["error", "never"]',
        "",
        f"{WEAK}: web/.eslintrc.json:3",
    ),
    "a linter is asked for fewer kinds": changed(
        ".golangci.yml",
        "linters:\n  enable:\n    - errcheck\n    - govet\n",
        "    - errcheck\n",
        "",
        f"{WEAK}: .golangci.yml:3",
    ),
    "a new file keeps scripts from lint": Case(
        {"app/.eslintrc.json": '{"rules": {"no-eval": "error"}}\n'},
        {"app/.eslintignore": "# later\nlegacy/\n"},
        (f"{WEAK}: app/.eslintignore:2",),
    ),
    "a new file turns a lint rule off": Case(
        {"ui/.eslintrc.json": '{"rules": {"no-eval": "error"}}\n'},
        {"ui/eslint.config.mjs": 'export default [{rules: {\n  "no-eval": "off",\n}}];\n'},
        (f"{WEAK}: ui/eslint.config.mjs:2",),
    ),
    "a new file takes the place of stricter lint settings": Case(
        {"api/pyproject.toml": '[tool.ruff.lint]\nselect = ["E", "F", "B"]\n'},
        {"api/ruff.toml": '[lint]\nselect = ["E"]\nignore = ["E501"]\n'},
        (f"{WEAK}: api/ruff.toml:3", f"{WEAK}: api/ruff.toml:2"),
    ),
    "a new file leaves code out of coverage": Case(
        {"core/setup.cfg": "[coverage:run]\nbranch = true\n"},
        {"core/.coveragerc": "[run]\nbranch = true\nomit = core/hard/*\n"},
        (f"{WEAK}: core/.coveragerc:3",),
    ),
}
