"""What migrations do to settings, pins, fixtures and comments: each of these has to land."""

from tests.cheats.cases import Case, changed, rewritten

HONEST: dict[str, Case] = {
    "a conftest has one fixture more": changed(
        "tests/api/conftest.py",
        "import pytest\n",
        "pytest\n",
        "pytest\n\n\n@pytest.fixture\ndef client():\n    with httpx.Client() as made:\n"
        "        yield made\n",
    ),
    "a conftest registers a mark": changed(
        "tests/marks/conftest.py",
        "import pytest\n",
        "pytest\n",
        "pytest\n\n\ndef pytest_configure(config):\n"
        "    config.addinivalue_line('markers', 'slow: x')\n",
    ),
    "a comment that silences nothing any more goes": changed(
        "src/types.py",
        "a = f()  # type: ignore[no-untyped-call]\n",
        "  # type: ignore[no-untyped-call]",
        "",
    ),
    "a comment that silences is another checker's": changed(
        "src/checked.py", "a = f()  # type: ignore\n", "type: ignore", "pyright: ignore"
    ),
    "pins go up": changed(
        "requirements.txt", "requests==2.19.0\nsix==1.11.0\n", "2.19.0\nsix==1.11.0", "2.32.3"
    ),
    "a lock is made anew": rewritten(
        "poetry.lock",
        '[[package]]\nname = "six"\nversion = "1.11.0"\n'
        'hash = "sha256:70e8a77beed4562e7f14fe23a7"\n',
        '[[package]]\nname = "httpx"\nversion = "0.27.0"\n'
        'hash = "sha256:71d5465162c13681bff01ad5"\n',
    ),
    "flake8's settings become ruff's": Case(
        {
            ".flake8": "[flake8]\nextend-ignore = E203, E501\nexclude = build\n",
            "pyproject.toml": '[project]\nname = "a"\n',
        },
        {
            ".flake8": None,
            "pyproject.toml": '[project]\nname = "a"\n\n[tool.ruff]\nexclude = ["build"]\n\n'
            '[tool.ruff.lint]\nselect = ["E", "F"]\nignore = ["E203", "E501"]\n',
        },
    ),
    "pytest's settings move": Case(
        {"pytest.ini": "[pytest]\naddopts = -q -m 'not slow'\n", "pyproject.toml": "[project]\n"},
        {
            "pytest.ini": None,
            "pyproject.toml": "[project]\n\n[tool.pytest.ini_options]\n"
            "addopts = \"-q -m 'not slow'\"\n",
        },
    ),
    "types become strict": rewritten(
        "mypy.ini",
        "[mypy]\ndisallow_untyped_defs = True\nwarn_unused_ignores = True\n",
        "[mypy]\nstrict = True\n",
    ),
    "a Python goes from the matrix": changed(
        ".github/workflows/python.yml",
        "jobs:\n  unit:\n    strategy:\n      matrix:\n        python: ['2.7', '3.8', '3.12']\n",
        "'2.7', ",
        "",
    ),
    "a step of CI calls a module": changed(
        ".github/workflows/module.yml",
        "steps:\n  - run: python -m pytest\n",
        "  - run",
        "  - run: python -m pip install -r requirements.txt\n  - run",
    ),
    "a script's pins and their lock": Case(
        {
            "package.json": '{"devDependencies": {"jest": "^26.0.0"}}\n',
            "package-lock.json": '{"node_modules/jest": {"version": "26.6.3"}}\n',
        },
        {
            "package.json": '{"devDependencies": {"vitest": "^2.0.0"}}\n',
            "package-lock.json": '{"node_modules/vitest": {"version": "2.1.1"}}\n',
        },
    ),
    "eslint's settings become flat": Case(
        {".eslintrc.json": '{"rules": {\n  "no-eval": "error",\n  "no-console": "off"\n}}\n'},
        {
            ".eslintrc.json": None,
            "eslint.config.mjs": 'export default [{rules: {\n  "no-eval": "error",\n'
            '  "no-console": "off",\n}}];\n',
        },
    ),
    "scripts become strict": changed(
        "tsconfig.json",
        '{\n  "noImplicitAny": true,\n  "target": "es5"\n}\n',
        '"noImplicitAny": true,\n  "target": "es5"',
        '"strict": true,\n  "target": "es2022"',
    ),
    "another service of CI": Case(
        {".travis.yml": "script: npm test\n"},
        {
            ".travis.yml": None,
            ".github/workflows/node.yml": "on: push\njobs:\n  t:\n    steps: [{run: npm test}]\n",
        },
    ),
    "tests move to another place where pytest looks": Case(
        {
            "pytest.ini": "[pytest]\ntestpaths = ./tests/\n",
            "tests/unit/test_price.py": "def test_price():\n    assert price() == 3\n",
        },
        {
            "tests/unit/test_price.py": None,
            "tests/api/test_price.py": "def test_price():\n    assert price() == 3\n",
        },
    ),
    "tests move, and pytest is told": Case(
        {
            "pytest.ini": "[pytest]\ntestpaths = tests checks\n",
            "checks/test_cost.py": "def test_cost():\n    assert cost() == 3\n",
        },
        {
            "pytest.ini": "[pytest]\ntestpaths = tests checks shop\n",
            "checks/test_cost.py": None,
            "shop/test_cost.py": "def test_cost():\n    assert cost() == 3\n",
        },
    ),
    "a step of CI says what it does": changed(
        ".github/workflows/say.yml",
        "steps:\n  - run: make test\n",
        "  - run: make test\n",
        "  - run: echo testing\n  - run: python -m pytest\n",
    ),
    "a step of CI becomes several lines": changed(
        ".github/workflows/lines.yml",
        "steps:\n  - run: make test\n    continue-on-error: false\n",
        "run: make test\n",
        "run: |\n      echo testing\n      make test\n",
    ),
    "a package's build becomes another": changed(
        "pkg/package.json",
        '{"scripts": {\n  "test": "mocha",\n  "prepare": "husky install"\n}}\n',
        '"mocha",\n  "prepare": "husky install"',
        '"vitest run",\n  "prepare": "echo nothing to prepare"',
    ),
    "a lint rule moves to the settings of the root": Case(
        {
            "one/.eslintrc.json": '{"rules": {\n  "no-eval": "error",\n  "no-var": "error"\n}}\n',
            "one/.eslintrc.base.json": '{"rules": {\n  "no-var": "error"\n}}\n',
        },
        {
            "one/.eslintrc.json": '{"rules": {\n  "no-var": "error"\n}}\n',
            "one/.eslintrc.base.json": '{"rules": {\n  "no-eval": "error",\n'
            '  "no-var": "error"\n}}\n',
        },
    ),
    "a linter comes that was not there": Case(
        {"pyproject.toml": '[project]\nname = "two"\n'},
        {"ruff.toml": 'exclude = ["build"]\n\n[lint]\nselect = ["E"]\nignore = ["E501"]\n'},
    ),
    "lint settings get a file of their own": Case(
        {
            "pyproject.toml": '[project]\nname = "three"\n\n[tool.ruff.lint]\n'
            'select = ["E", "F"]\nignore = ["E501"]\n'
        },
        {
            "pyproject.toml": '[project]\nname = "three"\n',
            "ruff.toml": '[lint]\nselect = ["E", "F"]\nignore = ["E501"]\n',
        },
    ),
    "a Go test still looks for a panic": changed(
        "four/panic_test.go",
        "package four\n\nfunc TestPanics(t *testing.T) {\n\tif !panics(Do) {\n"
        '\t\tt.Fatal("no panic")\n\t}\n}\n',
        "\tif !panics(Do) {\n",
        "\tdefer func() {\n\t\tif recover() == nil {\n",
    ),
    "a Rust test still looks for a panic": changed(
        "five/tests/panic.rs",
        "#[test]\nfn panics() {\n    assert!(caught(work));\n}\n",
        "assert!(caught(work));",
        "let found = std::panic::catch_unwind(work);\n    assert!(found.is_err());",
    ),
}
