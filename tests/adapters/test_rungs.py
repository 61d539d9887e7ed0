"""Rungs in real workspaces and the real sandbox."""

import asyncio
import socket
from pathlib import Path

import pytest

from activities.adapters.rungs import Climb
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.workspaces import WorkspacePaths
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.plan import Plan, Task
from activities.contracts.survey import Site
from activities.contracts.work import Checkpoint, Workspace
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import commit_files, git

SPEC = """\
sites: {include: ["/src/**"]}
creates: [/new/**]
checks: {unit: {run: "true"}}
ladder:
"""
FILES = {"src/a.py": "a\n", "src/b.py": "b\n", "src/c.py": "c\n", "README": "read\n"}


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def a_task(number: int, *claims: str) -> Task:
    return Task(id=f"c1-{number:04}", title="Tidy up", claims=claims, creates=("/new/**",))


def a_plan(host: OneHost, *tasks: Task) -> Plan:
    return Plan(migration="m", spec_digest="", base=host.commit, phase="main", cycle=1, tasks=tasks)


def opened(host: OneHost, task: Task, start: str = "") -> WorkspacePaths:
    return host.workspaces.open(
        host.hub.path,
        migration="m",
        task=task.id,
        attempt="0-1",
        base=start or host.commit,
        start=start or host.commit,
        claims=task.claims,
        token="0-1",
    )


def climb(host: OneHost, task: Task, plan: Plan | None = None, **more) -> Climb:
    phase = host.spec.phases[0]
    return Climb(host.spec, phase, 0, task, host.commit, host.hub, plan, **more)


def kept(host: OneHost, task: Task, base: str = "") -> Checkpoint:
    base = base or host.commit
    where = Workspace(
        migration="m", repository="r", task=task.id, attempt="0-1", host="h", queue="q",
        base=base, start=base,
    )  # fmt: skip
    return host.checkpoints.harvest(host.hub, where, task, 1)


async def ran(host: OneHost, task: Task, plan: Plan | None = None, **more):
    return await host.rungs.run(climb(host, task, plan, **more), opened(host, task))


@pytest.mark.parametrize("kind", ["codemod", "command"])
async def test_a_rung_runs_in_its_folder_with_its_variables_and_no_longer_than_it_may(
    sandbox: Sandbox, tmp_path: Path, kind: str
):
    rung = f"  - {kind}: {{dir: src, env: {{WHAT: new $HOME}}, timeout: 1s, run: %s}}\n"
    host = one_host(tmp_path / "1", sandbox, SPEC + rung % "echo $WHAT > a.py", FILES)
    task = a_task(1, "src/a.py")
    paths = opened(host, task)
    assert (await host.rungs.run(climb(host, task), paths)).allowed
    assert (paths.tree / "src/a.py").read_text() == "new /home/agent\n"
    host = one_host(tmp_path / "2", sandbox, SPEC + rung % "sleep 60", FILES)
    said = await ran(host, task)
    assert (said.ran.ended, said.allowed) == ("timeout", False)


EVERYTHING = """\
  - codemod:
      apply: once
      run: |
        for f in {files}; do printf 'one of %s\\n' "$#" >> "$f"; done
        rm -f src/c.py
        echo changed >> README
        mkdir -p new; echo n > new/n.txt; echo d > stray.txt
"""


async def test_a_codemod_over_everything_runs_once_and_each_task_takes_its_claims(
    sandbox: Sandbox, tmp_path: Path
):
    script = EVERYTHING.replace('"$#"', '"$(date +%s%N)"')
    host = one_host(tmp_path, sandbox, SPEC + script, FILES)
    one, two = a_task(1, "src/a.py"), a_task(2, "src/b.py", "src/c.py")
    plan = a_plan(host, one, two)
    said = await asyncio.gather(ran(host, one, plan), ran(host, two, plan))
    assert [one.allowed for one in said] == [True, True]
    text = said[1].ran.output.decode()
    assert "ran once over 3 files; this task takes src/b.py, src/c.py" in text
    assert "fell outside every claim: README" in text
    assert said[0].once == said[1].once
    assert said[0].once.outside == ("README",)
    assert said[0].once.dropped == ("stray.txt",)
    assert "new and not in `creates`: stray.txt" in text
    first, second = kept(host, one), kept(host, two)
    assert [(c.path, c.change) for c in first.changed] == [
        ("new/n.txt", "added"),
        ("src/a.py", "modified"),
    ]
    assert [(c.path, c.change) for c in second.changed] == [
        ("src/b.py", "modified"),
        ("src/c.py", "deleted"),
    ]
    assert (first.outside, first.dropped, second.outside) == ((), (), ())
    again = opened(host, a_task(3, "src/a.py"))
    await host.rungs.run(climb(host, one, plan), again)
    of_first = git(host.hub.path, "show", f"{first.commit}:src/a.py")
    assert (again.tree / "src/a.py").read_bytes() == of_first, "a second run would say another time"


async def test_a_file_that_changed_since_the_run_is_left_to_the_next_rung(
    sandbox: Sandbox, tmp_path: Path
):
    host = one_host(tmp_path, sandbox, SPEC + EVERYTHING, FILES)
    task = a_task(1, "src/a.py", "src/b.py")
    git(host.hub.path, "update-ref", "refs/whimbrel/test", host.commit)
    moved = commit_files(host.hub.path, {"src/a.py": "theirs\n"}, ref="refs/whimbrel/test")
    paths = opened(host, task, moved)
    said, allowed, *_ = await host.rungs.run(climb(host, task, a_plan(host, task)), paths)
    assert allowed
    assert "changed since, so not taken: src/a.py" in said.output.decode()
    assert (paths.tree / "src/a.py").read_text() == "theirs\n"
    assert "one of" in (paths.tree / "src/b.py").read_text()


async def test_a_failed_run_over_everything_fails_every_task_and_writes_nothing(
    sandbox: Sandbox, tmp_path: Path
):
    rung = '  - codemod: {apply: once, run: "echo x >> src/a.py; echo no way; exit 3"}\n'
    host = one_host(tmp_path, sandbox, SPEC + rung, FILES)
    one, two = a_task(1, "src/a.py"), a_task(2, "src/b.py")
    for task in (one, two):
        said, allowed, *_ = await ran(host, task, a_plan(host, one, two))
        assert (said.exit, allowed, said.output) == (3, False, b"no way\n")
        assert kept(host, task).changed == ()


async def test_any_exit_is_allowed_where_the_spec_says_so_but_not_being_killed(
    sandbox: Sandbox, tmp_path: Path
):
    rung = '  - codemod: {run: "sh {task}", exit: any, timeout: 1s}\n'
    host = one_host(
        tmp_path, sandbox, SPEC + rung, {**FILES, "c1-0001": "exit 9", "c1-0002": "sleep 60"}
    )
    assert (await ran(host, a_task(1, "src/a.py"))).allowed
    said, allowed, *_ = await ran(host, a_task(2, "src/a.py"))
    assert (said.ended, allowed) == ("timeout", False)


async def test_a_program_is_given_its_prompt_as_a_word_and_as_a_file(
    sandbox: Sandbox, tmp_path: Path
):
    script = "printf %s {prompt} > new.txt; cmp {prompt_file} new.txt; cat new.txt"
    rung = f'  - command: "{script}"\n'
    host = one_host(tmp_path, sandbox, SPEC + rung, FILES)
    red = CheckResult(
        check="unit", outcome=CheckOutcome.RED, reasons=("newly failing: x",), tail="boom ```"
    )
    evidence = Evidence(tree="0" * 40, moment=Moment.TASK, checks=(red,))
    sites = (Site(path="src/a.py", line=7), Site(path="src/a.py", line=9), Site(path="z", line=1))
    task = a_task(1, "src/a.py", "src/b.py")
    said, allowed, *_ = await ran(host, task, sites=sites, evidence=evidence)
    text = said.output.decode()
    assert allowed, text
    for line in (
        "Better.",
        "# Task c1-0001: Tidy up",
        "- src/a.py: 7, 9\n- src/b.py\n",
        "You may also add: /new/**",
        "## Check unit\n\n- newly failing: x\n",
        "boom ` ` `",
    ):
        assert line in text
    listed = one_host(
        tmp_path / "2", sandbox, SPEC + "  - command: [cat, '{prompt_file}']\n", FILES
    )
    assert (await ran(listed, task)).ran.output.decode().startswith("# Objective\n\nBetter.\n")


async def test_a_prompt_fits_one_argument_however_much_there_is_to_say(
    sandbox: Sandbox, tmp_path: Path
):
    rung = '  - command: ["printf", "%s", "{prompt}"]\n'
    host = one_host(tmp_path, sandbox, SPEC + rung, FILES)
    task = a_task(1, *(f"src/{'é' * 100}{n}.py" for n in range(490)))
    said, allowed, *_ = await ran(host, task)
    assert allowed
    assert said.output.decode().endswith("[the rest does not fit]\n")


async def test_roots_are_the_packages_of_the_tasks_files(sandbox: Sandbox, tmp_path: Path):
    rung = "  - codemod: \"printf '%s\\\\n' {roots}\"\n"
    files = {"p/setup.py": "", "p/q/a.py": "", "r/go.mod": "", "r/s/b.go": "", "c.py": ""}
    spec = SPEC.replace("/src/**", "/**") + rung
    host = one_host(tmp_path, sandbox, spec, files)
    said, *_ = await ran(host, a_task(1, "p/q/a.py", "r/s/b.go", "c.py"))
    assert said.output.decode().split() == [".", "p", "r"]
    own = one_host(tmp_path / "2", sandbox, "split: {by: package, root: go.mod}\n" + spec, files)
    said, *_ = await ran(own, a_task(1, "p/q/a.py", "r/s/b.go"))
    assert said.output.decode().split() == [".", "r"]


async def test_a_check_is_given_roots_too(sandbox: Sandbox, tmp_path: Path):
    spec = """\
sites: {include: ["/**"]}
ladder: [{claude: {}}]
checks: {unit: {run: "printf '%s\\\\n' {roots}"}}
"""
    host = one_host(tmp_path, sandbox, spec, {"p/go.mod": "", "p/q/a.go": "", "b.go": ""})
    found = await host.checker.results(
        host.hub, host.spec, "unit", host.commit, ["p/q/a.go", "b.go", "gone.go"], whole=False
    )
    assert found
    assert found.tail.split() == [".", "p"]


async def test_a_written_file_lands_where_the_spec_says(sandbox: Sandbox, tmp_path: Path):
    rung = '  - write: {src/a.py: "written\\n", new/x.txt: "x"}\n'
    host = one_host(tmp_path, sandbox, SPEC + rung, FILES)
    task = a_task(1, "src/a.py")
    await ran(host, task)
    assert [change.path for change in kept(host, task).changed] == ["new/x.txt", "src/a.py"]


@pytest.mark.parametrize(("more", "alone"), [("", True), (", network: [go]", False)])
async def test_a_codemod_over_everything_reaches_the_network_where_it_names_one(
    sandbox: Sandbox, tmp_path: Path, more: str, alone: bool
):
    count = "tail -n +3 /proc/net/dev | wc -l > src/a.py"
    host = one_host(
        tmp_path, sandbox, SPEC + f"  - codemod: {{apply: once, run: '{count}'{more}}}\n", FILES
    )
    task = a_task(1, "src/a.py")
    await ran(host, task, a_plan(host, task))
    seen = int((host.workspaces.paths("m", task.id, "0-1").tree / "src/a.py").read_text())
    assert seen == (1 if alone else len(socket.if_nameindex()))
