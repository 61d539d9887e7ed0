"""Less is run than before: steps of CI that are gone, tests that nobody collects any more."""

import textwrap

from tests.cheats.cases import Case, edited

WEAK = "configuration-weakened"
CI = ".github/workflows/all.yml"
WORKFLOW = textwrap.dedent("""\
    on: push
    jobs:
      lint:
        steps:
          - uses: actions/checkout@v4
          - run: pip install ruff==0.6.1
          - name: Lint
            run: ruff check .
      unit:
        strategy:
          matrix:
            python: ['3.8', '3.12']
        steps:
          - run: |
              make build
              make test
          - uses: codecov/codecov-action@v4
    """)
GITLAB = textwrap.dedent("""\
    stages: [build, unit]
    types:
      script:
        - pip install mypy
        - mypy shop
    unit:
      script:
        - pytest -q
    """)
UNIT = "def test_unit():\n    assert unit() == 3\n"
SLOW = "def test_slow():\n    assert slow() == 3\n"
SCRIPT = "test('menu', () => {\n  expect(menu()).toBe(3);\n});\n"


CHEATS: dict[str, Case] = {
    "a step of CI is gone": edited(
        CI, WORKFLOW, "      - name: Lint\n        run: ruff check .\n", "", f"{WEAK}: {CI}:8"
    ),
    "a step of CI is a comment": edited(
        CI, WORKFLOW, "        run: ruff check", "        # run: ruff check", f"{WEAK}: {CI}:8"
    ),
    "a line of a step is gone": edited(
        CI, WORKFLOW, "          make test\n", "", f"{WEAK}: {CI}:16"
    ),
    "an action of CI is gone": edited(
        CI, WORKFLOW, "      - uses: codecov/codecov-action@v4\n", "", f"{WEAK}: {CI}:17"
    ),
    "a version more stands for no step": edited(
        CI,
        WORKFLOW,
        "      - uses: actions/checkout@v4\n      - run: pip install ruff==0.6.1\n"
        "      - name: Lint\n        run: ruff check .\n",
        "      - uses: actions/checkout@v5\n      - run: pip install ruff==0.6.2\n",
        f"{WEAK}: {CI}:8",
    ),
    "a job of CI is gone": edited(
        ".gitlab-ci.yml",
        GITLAB,
        "types:\n  script:\n    - pip install mypy\n    - mypy shop\n",
        "",
        f"{WEAK}: .gitlab-ci.yml:5",
    ),
    "a job of CI is gone and one more thing is installed": edited(
        ".gitlab-ci.yml",
        GITLAB,
        "    - mypy shop\nunit:\n  script:\n",
        "unit:\n  script:\n    - pip install pytest\n",
        f"{WEAK}: .gitlab-ci.yml:5",
    ),
    "a step of CI lists files": edited(
        ".circleci/config.yml",
        "jobs:\n  unit:\n    steps:\n      - run: make test\n",
        "make test",
        "ls -l",
        f"{WEAK}: .circleci/config.yml:4",
    ),
    "one of a list of commands is gone": edited(
        ".gitlab/ci/unit.yml",
        "unit:\n  script: [make lint, make test]\n",
        "make lint, ",
        "",
        f"{WEAK}: .gitlab/ci/unit.yml:2",
    ),
    "a step within braces is gone": edited(
        ".forgejo/workflows/unit.yml",
        "jobs:\n  unit:\n    steps: [{uses: actions/checkout@v4}, {run: make test}]\n",
        ", {run: make test}",
        "",
        f"{WEAK}: .forgejo/workflows/unit.yml:3",
    ),
    "a step of another service of CI is gone": edited(
        "bitbucket-pipelines.yml",
        "pipelines:\n  default:\n  - step:\n      script:\n      - npm ci\n      - npm test\n",
        "      - npm test\n",
        "",
        f"{WEAK}: bitbucket-pipelines.yml:6",
    ),
    "a workflow of CI is gone beside another's comment": Case(
        {CI: "steps:\n  - run: make lint\n", ".github/workflows/docs.yml": "on: push\n"},
        {CI: None, ".github/workflows/docs.yml": "# docs\non: push\n"},
        (f"{WEAK}: {CI}:2",),
    ),
    "a hook before commits is gone": edited(
        ".pre-commit-config.yaml",
        "repos:\n  - repo: local\n    hooks:\n      - id: mypy\n      - id: ruff\n",
        "      - id: mypy\n",
        "",
        f"{WEAK}: .pre-commit-config.yaml:4",
    ),
    "a numbered lint rule is gone": edited(
        "num/.eslintrc.json",
        '{"rules": {\n  "no-eval": 2,\n  "no-var": [2, "never"]\n}}\n',
        ',\n  "no-var": [2, "never"]',
        "",
        f"{WEAK}: num/.eslintrc.json:3",
    ),
    "a module of checkstyle is gone": edited(
        "checkstyle.xml",
        '<module name="Checker">\n  <module name="EmptyBlock"/>\n'
        '  <module name="UnusedImports"/>\n</module>\n',
        '  <module name="EmptyBlock"/>\n',
        "",
        f"{WEAK}: checkstyle.xml:1",
    ),
    "rules beyond the usual ones are gone": edited(
        "extended/ruff.toml",
        'line-length = 100\n\n[lint]\nextend-select = ["B", "S"]\n',
        'extend-select = ["B", "S"]\n',
        "",
        f"{WEAK}: extended/ruff.toml:4",
    ),
    "pytest looks only into a folder of its folder": Case(
        {"pytest.ini": "[pytest]\ntestpaths = checks\n", "checks/deep/test_slow.py": SLOW},
        {"pytest.ini": "[pytest]\ntestpaths = checks/unit\n"},
        (f"{WEAK}: pytest.ini:2",),
    ),
    "pytest is told where to look, and tests are elsewhere": Case(
        {"pytest.ini": "[pytest]\naddopts = -q\n", "shop/test_slow.py": SLOW},
        {"pytest.ini": "[pytest]\naddopts = -q\ntestpaths = unit\n"},
        (f"{WEAK}: pytest.ini:3",),
    ),
    "a new pytest.ini looks into one folder": Case(
        {"all/test_unit.py": UNIT, "rest/test_slow.py": SLOW},
        {"pytest.ini": "[pytest]\ntestpaths = all\n"},
        (f"{WEAK}: pytest.ini:2",),
    ),
    "pytest takes files of another name": Case(
        {"setup.cfg": "[tool:pytest]\naddopts = -q\n", "named/test_slow.py": SLOW},
        {"setup.cfg": "[tool:pytest]\naddopts = -q\npython_files = unit_*.py\n"},
        (f"{WEAK}: setup.cfg:3",),
    ),
    "pytest takes fewer names of files": edited(
        "tox.ini",
        "[pytest]\npython_files = test_*.py check_*.py\n",
        " check_*.py",
        "",
        f"{WEAK}: tox.ini:2",
    ),
    "jest has fewer roots": edited(
        "app/jest.config.js",
        "module.exports = {\n  roots: ['<rootDir>/src', '<rootDir>/lib'],\n};\n",
        ", '<rootDir>/lib'",
        "",
        f"{WEAK}: app/jest.config.js:2",
    ),
    "jest has another root": Case(
        {
            "web/jest.config.js": "module.exports = {\n  verbose: true,\n};\n",
            "web/lib/menu.test.js": SCRIPT,
        },
        {"web/jest.config.js": "module.exports = {\n  roots: ['<rootDir>/src'],\n};\n"},
        (f"{WEAK}: web/jest.config.js:2",),
    ),
    "jest matches fewer files": Case(
        {
            "ui/jest.config.json": '{\n  "testMatch": ["**/*.test.js"]\n}\n',
            "ui/lib/menu.test.js": SCRIPT,
        },
        {"ui/jest.config.json": '{\n  "testMatch": ["**/unit/*.test.js"]\n}\n'},
        (f"{WEAK}: ui/jest.config.json:2",),
    ),
    "vitest includes less": edited(
        "vi/vitest.config.ts",
        "export default { test: {\n  include: ['src/**/*.test.ts', 'it/**/*.test.ts'],\n} };\n",
        ", 'it/**/*.test.ts'",
        "",
        f"{WEAK}: vi/vitest.config.ts:2",
    ),
}
