"""A spec is read strictly: every mistake is told at its place, all of them at once."""

import json
import re
import time
from pathlib import Path

import pytest

from activities.adapters.spec_file import SpecErrors, json_schema, load_spec, parse_any, parse_spec
from activities.contracts.evidence import Moment
from activities.contracts.fleet import FleetSpec
from activities.contracts.spec import MigrationSpec, SplitBy
from tests.contracts.specs import errors_of, spec

EXAMPLES = Path(__file__).parents[2] / "examples"

TWO = "environments: {a: {requires: [git]}, b: {requires: [make]}}"


def test_a_problem_reads_as_file_line_column_path_what_and_advice() -> None:
    mistaken = spec("checks: {unit: {run: x, timeuot: 1m}}")
    assert str(errors_of(mistaken)) == (
        "spec.yaml:8:25: checks.unit.timeuot: unknown field `timeuot`; did you mean `timeout`?"
    )


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    problems = errors_of(
        spec(
            "name: Demo",
            "sites: {include: [./x], find: {ast_grep: {}}}",
            "ladder: [{codemod: {run: 'fix {flies}', timeout: 5}}]",
            "environments: {tool: {python: 3.11, pip: [pytest]}, T: {}}",
            "checks: {unit: {run: x, in: other, at: [task], retries: 9}, unit: {}}",
            "phases: [{name: a, checks: [none]}, {name: a, plan: clod}]",
        )
    ).problems
    assert [problem.path for problem in problems] == [
        "name",
        "sites.include[0]",
        "sites.find.ast_grep.rule",
        "ladder[0].codemod.in",
        "ladder[0].codemod.run",
        "ladder[0].codemod.timeout",
        "environments.tool.python",
        "environments.tool.pip[0]",
        "environments.T",
        "checks",
        "checks.unit.in",
        "checks.unit.retries",
        "checks.unit",
        "phases[0].checks[0]",
        "phases[1].name",
        "phases[1].plan",
    ]


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    cases = {
        b"": "the file is empty",
        b"# nothing\n": "the file is empty",
        b"- version\n": "the file is not a map",
        b"version: 1\nname: \xff\n": "spec.yaml:2:7: the file is not UTF-8",
        b"version: 1\n---\nversion: 1\n": "keep one document",
        b"%YAML 1.1\n---\nversion: 1\n": "remove the %YAML line",
        b"version: \x01\n": "spec.yaml:1:10: not YAML",
    }
    for content, said in cases.items():
        (tmp_path / "spec.yaml").write_bytes(content)
        with pytest.raises(SpecErrors, match=re.escape(said)):
            load_spec(tmp_path / "spec.yaml")
    with pytest.raises(SpecErrors, match="cannot be read"):
        load_spec(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: " + "x" * (1 << 20), "larger than 1 MiB"),
        ("a: [" + "x," * 60_000 + "]", "more than 50,000 values"),
        ("a: " + "[" * 10_000, "more than 32 levels"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "aliases such as"),
    ],
    ids=["bytes", "values", "levels", "aliases"],
)
def test_a_bomb_is_refused_before_it_is_built(text: str, said: str) -> None:
    began = time.monotonic()
    assert said in str(errors_of(text))
    assert time.monotonic() - began < 15


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + spec().replace("\n", "\r\n").encode())
    assert load_spec(path).name == "demo"


def test_shorthands_and_their_long_forms_mean_the_same() -> None:
    short = parse_spec(spec("split: file", 'checks: {unit: {run: "x {files}", at: landing}}'), "")
    long = parse_spec(
        spec(
            "sites: {include: [/src/**], find: [{regex: old}]}",
            "split: {by: file}",
            'ladder: [{codemod: {run: "fix {files}", in: tool}}]',
            'checks: {unit: {run: "x {files}", in: tool, at: [landing]}}',
            "phases: [{name: main, checks: [unit]}]",
        ),
        "",
    )
    assert short == long


def test_the_only_environment_is_every_commands_and_none_is_none() -> None:
    one = parse_spec(spec("ladder: [{codemod: x}, {command: y}]"), "")
    rungs = one.phases[0].ladder
    assert one.checks["unit"].environment == "tool"
    assert rungs[0].codemod
    assert rungs[0].codemod.environment == "tool"
    assert rungs[1].command
    assert rungs[1].command.environment == "tool"
    none = parse_spec(spec("environments: {}"), "")
    assert none.checks["unit"].environment is None


def test_each_command_without_an_environment_is_told_where_there_are_several() -> None:
    problems = errors_of(spec(TWO, "ladder: [{codemod: x}, {command: {run: y, in: a}}]")).problems
    assert [(p.path, p.advice) for p in problems] == [
        ("ladder[0].codemod.in", "add `in`: a, b"),
        ("checks.unit.in", "add `in`: a, b"),
    ]


def test_a_phase_takes_from_the_top_level_what_it_leaves_out() -> None:
    loaded = parse_spec(
        spec(
            "split: {by: whole}",
            "claims: [/a]",
            "keep: [SPDX]",
            "checks: {unit: {run: x}, more: {run: y, at: end}}",
            "phases:\n  - {name: first, claims: [], split: file, checks: [unit]}\n"
            "  - {name: second, objective: Else., sites: {include: [/b]}, ladder: [{claude: {}}]}",
        ),
        "",
    )
    first, second = loaded.phases
    assert (first.claims, first.split.by, first.checks) == ((), SplitBy.FILE, ("unit",))
    assert first.objective == loaded.objective
    assert first.sites.find[0].regex == "old"
    assert (second.claims, second.keep) == (("/a",), ("SPDX",))
    assert second.checks == ("unit", "more")
    assert (second.sites.include, second.sites.find) == (("/b",), ())
    assert second.ladder[0].kind == "claude"
    assert loaded.checks["more"].at == (Moment.END,)


def test_variables_are_text_and_lists_and_a_caller_may_set_them() -> None:
    text = spec(
        'vars: {src: app, dev: [pytest==8.3.5, "mock==5.1.0"]}',
        "sites: {include: ['/{vars.src}/**'], find: {regex: '{{vars.src}}'}}",
        "ladder: [{write: {'{vars.src}/x.py': 'f\"{vars.other}\"'}}]",
        'environments: {tool: {python: "3.11", pip: ["{vars.dev}", respx==0.21.1]}}',
        'checks: {unit: {run: "x {files} ${vars}"}}',
    )
    loaded = parse_spec(text, "")
    assert loaded.phases[0].sites.include == ("/app/**",)
    assert loaded.phases[0].sites.find[0].regex == "{{vars.src}}"
    assert loaded.phases[0].ladder[0].write == {"app/x.py": 'f"{vars.other}"'}
    assert loaded.environments["tool"].pip == ("pytest==8.3.5", "mock==5.1.0", "respx==0.21.1")
    other = parse_spec(text, "", variables={"src": "lib"})
    assert other.phases[0].sites.include == ("/lib/**",)


def test_a_fleet_is_a_spec_for_each_repository_with_its_own_variables() -> None:
    fleet = parse_any(
        spec(
            "-repository",
            """repositories:
  - https://git.example.com/team/App.git
  - {url: /srv/billing, base: develop, vars: {src: billing, dev: [mock==5.1.0, respx==0.21.1]}}
  - {url: "/srv/{vars.src}.git", name: third}""",
            "fleet: {canary: 0, stop_after: 1}",
            "vars: {src: app, dev: [pytest==8.3.5]}",
            "sites: {include: ['/{vars.src}/**']}",
            'environments: {tool: {python: "3.11", pip: ["{vars.dev}"]}}',
        ),
        "spec.yaml",
    )
    assert isinstance(fleet, FleetSpec)
    assert (fleet.fleet.canary, fleet.fleet.concurrency, fleet.fleet.stop_after) == (0, 5, 1)
    assert [
        (m.name, m.repository, m.base, m.phases[0].sites.include[0], m.repository_name)
        for m in fleet.members
    ] == [
        ("demo/app", "https://git.example.com/team/App.git", "main", "/app/**", "app"),
        ("demo/billing", "/srv/billing", "develop", "/billing/**", "billing"),
        ("demo/third", "/srv/app.git", "main", "/app/**", "third"),
    ]
    assert [len(m.environments["tool"].pip) for m in fleet.members] == [1, 2, 1]
    assert fleet.members[0].branch == "whimbrel/demo-app"


def test_a_mistake_in_a_fleet_is_told_once_though_it_is_read_for_each_repository() -> None:
    fleet = spec("-repository", "repositories: [a, {url: b, vars: {x: y}}]", "protect: x")
    assert [problem.path for problem in errors_of(fleet).problems] == ["protect"]


def test_where_one_repository_is_needed_a_fleet_is_refused() -> None:
    assert "is a fleet" in str(errors_of(spec("-repository", "repositories: [a, b]")))


def test_a_spec_comes_back_from_json_as_it_was() -> None:
    for path in sorted(EXAMPLES.glob("*.yaml")):
        loaded = load_spec(path)
        assert MigrationSpec.model_validate_json(loaded.model_dump_json()) == loaded
        assert '"in":"' in loaded.model_dump_json()


def test_every_example_loads_and_names_its_schema() -> None:
    names = {path.stem: load_spec(path).name for path in EXAMPLES.glob("*.yaml")}
    assert names == {
        "minimal": "bare-asserts",
        "oauthlib-claude": "oauthlib-claude",
        "oauthlib-unittest2pytest": "oauthlib-unittest2pytest",
        "es-abstract-lebab": "es-abstract-lebab",
        "pygments-2to3": "pygments-2to3",
        "opa-go-fix": "opa-go-fix",
        "clap-edition": "clap-edition",
        "homeassistant-flowresult": "homeassistant-flowresult",
        "sympy-ruff": "sympy-ruff",
        "zlib-ansi": "zlib-ansi",
        "commons-cli-junit5": "commons-cli-junit5",
    }
    for path in EXAMPLES.glob("*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=migration.schema.json")


def test_the_committed_schema_is_what_the_forms_say() -> None:
    committed = json.loads((EXAMPLES / "migration.schema.json").read_text())
    assert committed == json_schema(), "run: starter.py schema > examples/migration.schema.json"
