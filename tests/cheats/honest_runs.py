"""What runs changes and nothing is lost: each of these has to land."""

from tests.cheats.cases import Case, edited

UNIT = "def test_unit():\n    assert unit() == 3\n"
SCRIPT = "test('menu', () => {\n  expect(menu()).toBe(3);\n});\n"

HONEST: dict[str, Case] = {
    "several linters become one": edited(
        ".github/workflows/linters.yml",
        "steps:\n  - run: flake8 shop\n  - run: isort --check shop\n  - run: black --check shop\n",
        "  - run: flake8 shop\n  - run: isort --check shop\n  - run: black --check shop\n",
        "  - run: ruff check shop\n",
    ),
    "steps within braces become lines": edited(
        ".forgejo/workflows/braces.yml",
        "jobs:\n  unit:\n    steps: [{run: npm ci}, {run: npm test}]\n",
        " [{run: npm ci}, {run: npm test}]\n",
        "\n      - run: npm ci\n      - run: npm test\n",
    ),
    "a list of commands becomes lines": edited(
        ".woodpecker.yml",
        "steps:\n  unit:\n    commands: [make lint, make test]\n",
        " [make lint, make test]\n",
        "\n      - make lint\n      - make test\n",
    ),
    "an old Python's job goes": edited(
        ".github/workflows/old.yml",
        "jobs:\n  old:\n    steps:\n      - run: tox -e py27\n"
        "  new:\n    steps:\n      - run: tox -e py311\n",
        "  old:\n    steps:\n      - run: tox -e py27\n",
        "",
    ),
    "steps go into a script": edited(
        ".github/workflows/script.yml",
        "steps:\n  - run: make lint\n  - run: make test\n",
        "  - run: make lint\n  - run: make test\n",
        "  - run: ./scripts/ci.sh\n",
    ),
    "what CI installs goes": edited(
        ".github/workflows/install.yml",
        "steps:\n  - run: pip install six mock pytest\n  - run: pytest -q\n",
        "  - run: pip install six mock pytest\n",
        "",
    ),
    "a job moves to another workflow": Case(
        {
            ".github/workflows/one.yml": "steps:\n  - run: make lint\n  - run: make test\n",
            ".github/workflows/two.yml": "steps:\n  - run: make docs\n",
        },
        {
            ".github/workflows/one.yml": "steps:\n  - run: make test\n",
            ".github/workflows/two.yml": "steps:\n  - run: make docs\n  - run: make lint\n",
        },
    ),
    "a step of CI that deploys goes": edited(
        ".github/workflows/deploy.yml",
        "steps:\n  - run: make test\n  - run: make deploy\n",
        "  - run: make deploy\n",
        "",
    ),
    "a step's action is newer": edited(
        ".github/workflows/newer.yml",
        "steps:\n  - uses: actions/checkout@v3\n  - uses: pre-commit/action@v3.0.0\n",
        "checkout@v3\n  - uses: pre-commit/action@v3.0.0",
        "checkout@v4\n  - uses: pre-commit/action@v3.0.1",
    ),
    "hooks before commits become another": edited(
        ".pre-commit-config.yaml",
        "repos:\n  - hooks:\n      - id: flake8\n      - id: isort\n",
        "      - id: flake8\n      - id: isort\n",
        "      - id: ruff\n",
    ),
    "pytest ignores a warning, and is told so in words": edited(
        "pytest.ini",
        "[pytest]\nfilterwarnings =\n    error\naddopts = -q\n",
        "    error\n",
        "    error\n    ignore: unclosed file:Warning\n    ignore:'U' mode:DeprecationWarning\n",
    ),
    "pytest ignores one more warning": edited(
        "pyproject.toml",
        '[tool.pytest.ini_options]\nfilterwarnings = [\n  "error",\n  "ignore::UserWarning",\n]\n',
        '  "ignore::UserWarning",\n',
        '  "ignore::UserWarning",\n  "ignore:\'U\' mode is old:DeprecationWarning",\n',
    ),
    "flake8 leaves nothing more out": edited(
        ".flake8",
        "[flake8]\nextend-ignore = E203, E501\nmax-line-length = 88\n",
        "88",
        "100",
    ),
    "pytest takes more names of files": Case(
        {"pytest.ini": "[pytest]\naddopts = -q\n", "tests/model/test_unit.py": UNIT},
        {"pytest.ini": "[pytest]\naddopts = -q\npython_files = test_*.py *_test.py check_*.py\n"},
    ),
    "jest is told where its tests are": Case(
        {
            "spa/jest.config.js": "module.exports = {\n  verbose: true,\n};\n",
            "spa/src/menu.test.js": SCRIPT,
            "other/src/menu.test.js": SCRIPT,
        },
        {"spa/jest.config.js": "module.exports = {\n  roots: ['<rootDir>/src'],\n};\n"},
    ),
    "jest's patterns are another language's": Case(
        {
            "alt/jest.config.js": "module.exports = {\n  testMatch: ['**/*.test.js'],\n};\n",
            "alt/menu.test.js": SCRIPT,
        },
        {"alt/jest.config.js": "module.exports = {\n  testMatch: ['**/*.test.[jt]s?(x)'],\n};\n"},
    ),
    "vitest's coverage includes a folder": Case(
        {
            "cov/vitest.config.ts": "export default { test: {} };\n",
            "cov/it/menu.test.ts": SCRIPT,
        },
        {"cov/vitest.config.ts": "export default { coverage: { include: ['src/**'] } };\n"},
    ),
}
