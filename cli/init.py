"""`init`: a commented spec from what a person says and what the project's files tell.

What is not said is asked on a terminal, else guessed or left out; the spec is read back, and what
is still to be filled in is said. A file that exists is overwritten only when that is wanted.
"""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from activities.adapters.spec_file import SpecErrors, load_spec
from activities.contracts.repository import repository_name
from cli.boundary import Code, Refused, give, say
from cli.projects import DEFAULT_PYTHON, Project, Tests, branch_of, look_at

_LONG = 80
_SHOWN = 10
_LEFT = "fill it in"
_PLAIN = re.compile(r"(?:https?://|[A-Za-z/])[\w./=+-]*(?: [\w./=+-]+)*")
_WORDS = ("true", "false", "null", "yes", "no")


@dataclass(frozen=True)
class Wishes:
    """What a person said on the command line; empty: not said."""

    repository: str = ""
    name: str = ""
    objective: str = ""
    include: tuple[str, ...] = ()
    regex: str = ""
    codemod: str = ""
    check: str = ""
    python: str = ""
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    output: Path | None = None
    force: bool = False


async def init(wishes: Wishes) -> int:
    """Writes a spec and says what is left to fill in."""
    return await asyncio.to_thread(_init, wishes)


def _init(wishes: Wishes) -> int:
    asks = sys.stdin.isatty()
    where = wishes.repository or (_ask("Where is the repository (path or URL)?", ".", asks))
    folder = None if _is_remote(where) else Path(where).expanduser().resolve()
    if folder and not folder.is_dir():
        raise Refused(Code.USAGE, f"{where} is no folder; give a repository's path or its URL")
    project = look_at(folder) if folder else Project()
    if project.language:
        say(f"{where}: looks like {project.language}")
    wishes = replace(wishes, repository=str(folder or where))
    wishes = _completed(wishes, project, asks)
    path = wishes.output or Path(f"{wishes.name}.yaml")
    text = spec_text(wishes, project, branch_of(folder) if folder else "")
    try:
        with path.open("w" if wishes.force else "x") as file:
            file.write(text)
    except FileExistsError:
        raise Refused(Code.USAGE, f"{path} exists; name another with -o, or --force") from None
    give(str(path))
    return _judged(path)


def _judged(path: Path) -> int:
    try:
        load_spec(path)
    except SpecErrors as errors:
        say("Left to fill in:\n" + "\n".join(str(problem) for problem in errors.problems))
        return Code.NOT_DONE
    say(f"Look it over, then: starter.py plan {path} --local")
    return Code.OK


def _completed(wishes: Wishes, project: Project, asks: bool) -> Wishes:
    """What was not said, asked where somebody can answer."""
    objective = wishes.objective or _ask("What does the code look like when it is done?", "", asks)
    codemod = wishes.codemod
    if not codemod:
        codemod = _ask("Which tool changes it ({files} are its files; empty: Claude)?", "", asks)
    include = wishes.include
    if not include:
        default = project.include
        answer = _ask("Where is it (gitignore patterns, by spaces)?", default, asks) or default
        include = tuple(answer.split())
    regex = wishes.regex
    if not regex:
        regex = _ask("What is there to find (a regular expression; empty: each file)?", "", asks)
    found = project.tests.run if project.tests else ""
    check = wishes.check or _ask("Which command tests it?", found, asks) or found
    tool = re.sub(r"[^a-z0-9]+", "-", (codemod.split() or ["migration"])[0].lower()).strip("-")
    name = f"{repository_name(wishes.repository)[:40]}-{tool or 'migration'}"[:60].strip("-")
    return replace(
        wishes,
        objective=objective,
        codemod=codemod,
        include=include,
        regex=regex,
        check=check,
        name=wishes.name or _ask("What is it called?", name, asks) or name,
    )


def _ask(question: str, default: str, asks: bool) -> str:
    if not asks:
        return default
    shown = bool(default)
    return str(typer.prompt(question, default=default, show_default=shown, err=True)).strip()


def _is_remote(where: str) -> bool:
    return "://" in where or ":" in where.split("/", 1)[0]


def spec_text(wishes: Wishes, project: Project, branch: str) -> str:
    """The spec as text; what nobody knows is a comment that says so."""
    tests = project.tests if project.tests and wishes.check == project.tests.run else None
    tests = tests or (_told(wishes.check) if wishes.check else None)
    lines = [
        "# A Whimbrel migration. `starter.py validate` checks this file, `starter.py schema` is",
        "# its JSON Schema for editors.",
        "version: 1",
        f"name: {wishes.name}",
        f"repository: {quoted(wishes.repository)}",
    ]
    lines += [f"base: {quoted(branch)}"] if branch not in ("", "main") else []
    lines += ["", *_objective(wishes), "", *_sites(wishes), "", *_ladder(wishes)]
    lines += ["", *_environment(wishes, project), "", *_checks(tests)]
    lines += ["", "# approvals: [plan]  # a person looks at the plan before anything runs"]
    lines += ["# limits: {concurrency: 8, attempts: 3, days: 21}"]
    return "\n".join(lines) + "\n"


def _objective(wishes: Wishes) -> list[str]:
    how = "# What the code looks like when it is done; reviewers and models read it."
    if wishes.objective:
        return [how, f"objective: {quoted(wishes.objective)}"]
    if wishes.regex:
        return [how, f"objective: {quoted(f'Nothing matches {wishes.regex} any more.')}"]
    return [how, f"# objective: {_LEFT}"]


def _sites(wishes: Wishes) -> list[str]:
    lines = ["# Where to look, and what counts as a place that still has to change."]
    if not wishes.include:
        return [*lines, f'# sites: {{include: ["*.py"]}}  # {_LEFT}']
    lines += ["sites:", f"  include: {listed(wishes.include)}  # gitignore patterns; / anchors"]
    if wishes.regex:
        return [*lines, f"  find: {{regex: {quoted(wishes.regex)}}}"]
    more = ["  # find: {regex: 'old_name\\('}  # without it each file is one site"]
    return [*lines, *more]


def _ladder(wishes: Wishes) -> list[str]:
    lines = ["# How a task is done: what is cheap first, each rung going on from the one before."]
    lines += ["ladder:"]
    if wishes.codemod:
        lines += [f"  - codemod: {quoted(wishes.codemod)}"]
        return [*lines, "  # - claude: {}  # finishes what the codemod leaves"]
    return [*lines, "  - claude: {}", '  # - codemod: "tool --write {files}"']


def _environment(wishes: Wishes, project: Project) -> list[str]:
    """The first lines hold pinned packages; what is not pinned is named."""
    python = wishes.python or project.python or (DEFAULT_PYTHON if wishes.pip else "")
    pip = wishes.pip or (project.pip if python else ())
    npm = wishes.npm or project.npm
    body = list(project.environment)
    body += [f'python: "{python}"'] if python else []
    body += _packages("pip", pip) if pip else []
    body += _packages("npm", npm) if npm else []
    unpinned = () if wishes.pip or wishes.npm else project.unpinned
    if unpinned:
        shown = ", ".join(unpinned[:_SHOWN]) + (" …" if len(unpinned) > _SHOWN else "")
        body.append(f"# the project names {shown} too: pin what its tests need")
    if not [line for line in body if not line.startswith("#")]:
        return [f"# environments: {{tests: {{requires: [make]}}}}  # {_LEFT} where commands run"]
    head = ["# What commands run in: made once, without network afterwards.", "environments:"]
    return [*head, "  tests:", *(f"    {line}" for line in body)]


def _packages(field: str, names: Sequence[str]) -> list[str]:
    line = f"{field}: {listed(names)}"
    return [line] if len(line) < _LONG else [f"{field}:", *(f"  - {quoted(n)}" for n in names)]


def _checks(tests: Tests | None) -> list[str]:
    lines = ["# What tells whether a tree is good; results are held against those of the base."]
    if tests is None:
        return [*lines, f"# checks: {{tests: {{run: make test}}}}  # {_LEFT}"]
    lines += ["checks:", "  tests:", f"    run: {quoted(tests.run)}", *_results(tests)]
    return lines


def _results(tests: Tests) -> Iterator[str]:
    yield f"    results: {tests.results}"
    yield from (f"    {line}" for line in tests.more)


def _told(command: str) -> Tests:
    """The results that a command of one's own can be read for."""
    kinds = {"$RESULTS": "junit", "go test -json": "go", "cargo test": "cargo"}
    kinds |= {"unittest -v": "unittest", "reporter tap": "tap", "reporter=tap": "tap"}
    return Tests(command, next((kinds[word] for word in kinds if word in command), "exit"))


def listed(words: Sequence[str]) -> str:
    """A YAML list in one line."""
    return f"[{', '.join(quoted(word) for word in words)}]"


def quoted(text: str) -> str:
    """A YAML string: plain where nothing in it can be misread, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if text.isprintable() and "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=not text.isprintable())
