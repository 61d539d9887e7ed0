"""Builds that let failures go, and honest ones."""

from tests.cheats.cases import Case, edited

WEAK = "configuration-weakened"
MAKE = "test:\n\tpytest -q\n\nlint:\n\truff check .\n"
POM = "<project>\n  <properties>\n    <release>11</release>\n  </properties>\n</project>\n"
GRADLE = "test {\n    useJUnit()\n}\n"
CARGO = '[package]\nedition = "2018"\n\n[lints.rust]\nunsafe_code = "forbid"\n'
STARTED = "on:\n  push:\n    branches: [main]\njobs:\n  unit:\n    steps:\n      - run: make test\n"

CHEATS: dict[str, Case] = {
    "make goes on after red tests": edited(
        "make1/Makefile", MAKE, "pytest -q\n", "pytest -q || true\n", f"{WEAK}: make1/Makefile:2"
    ),
    "make does not look at what tests say": edited(
        "make2/Makefile", MAKE, "\tpytest -q\n", "\t-pytest -q\n", f"{WEAK}: make2/Makefile:2"
    ),
    "nox takes red tests for green ones": edited(
        "noxfile.py",
        "session.run('pytest')\n",
        "'pytest'",
        "'pytest', success_codes=[0, 1]",
        f"{WEAK}: noxfile.py:1",
    ),
    "maven skips tests": edited(
        "maven1/pom.xml",
        POM,
        "11</release>\n",
        "11</release>\n    <skipTests>true</skipTests>\n",
        f"{WEAK}: maven1/pom.xml:4",
    ),
    "gradle ignores failures": edited(
        "gradle1/build.gradle",
        GRADLE,
        "useJUnit()\n",
        "useJUnit()\n    ignoreFailures = true\n",
        f"{WEAK}: gradle1/build.gradle:3",
    ),
    "a lint of cargo that was forbidden is allowed": edited(
        "cargo1/Cargo.toml", CARGO, '"forbid"', '"allow"', f"{WEAK}: cargo1/Cargo.toml:5"
    ),
    "nothing starts CI any more": edited(
        ".github/workflows/started.yml",
        STARTED,
        "  push:\n    branches: [main]\n",
        "  workflow_dispatch:\n",
        f"{WEAK}: .github/workflows/started.yml:1",
    ),
}
HONEST: dict[str, Case] = {
    "make calls another runner": edited(
        "make3/Makefile", MAKE, "pytest -q\n", "python -m pytest -q\n"
    ),
    "make says more in a comment": edited(
        "make4/Makefile", MAKE, "lint:\n", "# not: ruff || true\nlint:\n"
    ),
    "maven's release moves on": edited("maven2/pom.xml", POM, "11", "17"),
    "gradle runs the tests of the next JUnit": edited(
        "gradle2/build.gradle", GRADLE, "useJUnit()", "useJUnitPlatform()"
    ),
    "cargo's edition moves on": edited(
        "cargo2/Cargo.toml", CARGO, '"2018"\n', '"2021"\nrust-version = "1.70"\n'
    ),
    "CI is started by pull requests instead": edited(
        ".github/workflows/pulled.yml", STARTED, "  push:\n", "  pull_request:\n"
    ),
}
