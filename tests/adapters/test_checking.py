"""Checks and finders on real trees in the real sandbox: what is measured, and when it is not."""

import os
from pathlib import Path

import pytest
from builders import a_spec
from repositories import Symlink, commit_files, git, make_repository
from temporalio.testing import ActivityEnvironment

from activities.adapters.blobs import BlobStore
from activities.adapters.check_trees import CheckTrees
from activities.adapters.checking import Checker
from activities.adapters.commands import Commands
from activities.adapters.environments import Environments
from activities.adapters.finders import SiteCache
from activities.adapters.hub import Hub
from activities.adapters.hubs import Hubs
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.scanning import FinderFailed, Scanner
from activities.adapters.scratch import Scratch
from activities.adapters.surveying import Surveyor
from activities.checks import ChecksActivities
from activities.contracts.evidence import CheckOutcome, Evidence, Moment, NotVerifiable
from activities.contracts.repository import Repository
from activities.contracts.spec import MigrationSpec
from activities.contracts.work_requests import RunChecks, TakeBaseline

FILES = {
    "app/a.py": "old(1)\n",
    "app/b.py": "old(2); old(3)\n\nold(\n    4)\n",
    "app/c.txt": "old(5)\n",
    "tests/test_a.py": "",
    "reports/committed.tap": "1..1\nok 1 committed\n",
    b"other/caf\xe9.py": "old(6)\n",
    b"other/th\xe9.py": "nothing\n",
}
TAP = {"run": "printf '1..1\\nok 1 %s\\n' $(wc -l < app/a.py)", "results": "tap"}
REPOSITORY = "app-1a2b3c4d"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


class Bench:
    """One host, one repository, one commit to measure."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        make_repository(root / "upstream", {**FILES, "link.py": Symlink("app/a.py")})
        self.hubs = Hubs(root / "hubs")
        self.hub: Hub = self.hubs.of(REPOSITORY)
        self.base = self.hub.fetch_base(str(root / "upstream"), "main", "m").commit
        self.blobs = BlobStore(root / "blobs")
        environments = Environments(root / "environments", sandbox, dict(os.environ))
        commands = Commands(sandbox, environments, Scratch(root / "scratch"))
        trees = CheckTrees(root / "trees", sandbox.tool_ids, 2)
        self.checker = Checker(self.blobs, trees, commands)
        scanner = Scanner(SiteCache(root / "cache"))
        self.surveyor = Surveyor(self.blobs, scanner, trees, commands, self.checker.whole_run)
        self.activities = ChecksActivities(self.blobs, self.hubs, self.checker)
        self.repository = Repository(url=str(root / "upstream"), id=REPOSITORY)

    async def results(self, paths: tuple[str, ...] = (), **check: object):
        spec = a_spec("m", checks={"unit": check})
        return await self.checker.results(self.hub, spec, "unit", self.base, paths, whole=not paths)

    async def survey(
        self,
        *find: object,
        checks: dict[str, object] | None = None,
        include: str = "/app/**",
        **spec_fields: object,
    ):
        sites = {"include": [include], "find": list(find)}
        phase = {"name": "main", "sites": sites, "ladder": [{"claude": {}}], "checks": []}
        spec = a_spec("m", checks=checks or {"unit": {"run": "true"}})
        given = {**spec.model_dump(by_alias=True), "phases": [phase], **spec_fields}
        spec = MigrationSpec.model_validate(given)
        scene = self.surveyor.scene(self.hub, spec, spec.phases[0], self.base)
        return await self.surveyor.survey(scene)

    async def evidence(self, spec: MigrationSpec, moment: Moment, commit: str = "") -> Evidence:
        environment = ActivityEnvironment()
        ref = self.blobs.put_model("m", spec)
        common = {"name": "m", "repository": self.repository, "spec": ref, "phase": "main"}
        await environment.run(
            self.activities.take_baseline, TakeBaseline(**common, commit=self.base)
        )
        asked = {
            "commit": commit or self.base,
            "compare_with": self.base,
            "moment": moment,
            "paths": (),
        }
        return await environment.run(self.activities.run_checks, RunChecks(**common, **asked))


@pytest.fixture
def bench(tmp_path: Path, sandbox: Sandbox) -> Bench:
    return Bench(tmp_path, sandbox)


async def test_reports_are_read_from_the_tree_and_committed_ones_are_not(bench: Bench) -> None:
    run = "printf '1..1\\nok 1 fresh\\n' > reports/a.tap; printf '1..1\\nok 1 more\\n' > $RESULTS"
    found = await bench.results(run=run, results="tap", results_from=["/reports/*.tap"])
    assert found.passed == {"fresh": 1, "more": 1}
    silent = await bench.results(run="echo ok 1 a", results="tap", results_from=["/reports/*.tap"])
    assert not silent.parsed


async def test_a_batched_check_is_all_of_its_calls(bench: Bench) -> None:
    paths = ("app/a.py", "app/b.py", "app/c.txt")
    run = "n=0; { for f in {files}; do n=$((n+1)); echo ok $n $f; done; echo 1..$n; } > $RESULTS"
    found = await bench.results(paths, run=run, results="tap", batch=2)
    assert found.passed == dict.fromkeys(paths, 1)
    partly = await bench.results(
        paths, run=f"case {{files|join: }} in *a.py*) {run} ;; esac", results="tap", batch=2,
        results_from=["/results/*"],
    )  # fmt: skip
    assert not partly.parsed
    assert "1 of 2 calls" in partly.messages["exit"]


async def test_targets_stand_for_the_paths_and_a_deleted_source_keeps_its_test(
    bench: Bench,
) -> None:
    rule = {"from": r"app/(?P<m>\w+)\.py", "to": "tests/test_{m}.py"}
    check = {
        "run": "for t in {targets}; do echo ok 1 $t; done; echo 1..1",
        "results": "tap",
        "targets": [{**rule, "exists": "tests/test_{m}.py"}],
        "otherwise": "tests/smoke",
    }
    found = await bench.results(("app/a.py", "app/b.py"), **check)
    assert found.passed == {"tests/test_a.py": 1}
    folder = {**check, "targets": [{**rule, "exists": "tests", "to": "tests/{m}"}]}
    gone = await bench.results(("app/deleted.py",), **folder)
    assert gone.passed == {"tests/deleted": 1}
    nothing = await bench.results(("app/b.py",), **check)
    assert nothing.passed == {"tests/smoke": 1}
    assert await bench.results(("app/b.py",), **{**check, "otherwise": "skip"}) is None


async def test_a_check_runs_in_its_folder_with_its_variables(bench: Bench) -> None:
    run = "pwd; echo $WHERE; printf '1..1\\nok 1 a\\n' > $RESULTS"
    env = {"WHERE": "${HOME}:$TMPDIR:$RESULTS"}
    found = await bench.results(run=run, results="tap", dir="app", env=env)
    assert found.tail.split() == ["/src/app", "/home/agent:/tmp:/results/results"]


async def test_ids_are_normalised_where_they_are_measured(bench: Bench) -> None:
    ids = [{"replace": r"\d+", "with": "N"}]
    found = await bench.results(run="echo ok 1 took 17 ms; echo 1..1", results="tap", ids=ids)
    assert found.passed == {"took N ms": 1}


@pytest.mark.parametrize("by", ["old($$$)", {"rule": {"pattern": "old($$$)"}}])
async def test_syntax_finds_sites_in_the_files_whose_language_is_known(
    bench: Bench, by: object
) -> None:
    found = await bench.survey({"ast_grep": by})
    assert [(s.path, s.line, s.finder) for s in found.sites] == [
        ("app/a.py", 1, "ast_grep"),
        ("app/b.py", 1, "ast_grep"),
        ("app/b.py", 3, "ast_grep"),
    ]
    assert await bench.survey({"ast_grep": by}) == found


@pytest.mark.parametrize(
    ("find", "odd"),
    [
        ([{"regex": "old"}], ["caf"]),
        ([{"ast_grep": "old($$$)"}], ["caf"]),
        ([{"command": "grep -rn old other"}], ["caf"]),
        ([], ["caf", "th"]),
    ],
)
async def test_a_site_in_a_file_whose_name_no_task_can_take_is_told(
    bench: Bench, find: list[object], odd: list[str]
) -> None:
    found = await bench.survey(*find, include="/other/")
    assert found.sites == ()
    assert found.unplaced == tuple(f'"other/{n}\\351.py": its name is not UTF-8' for n in odd)


@pytest.mark.parametrize(
    ("find", "large"),
    [([{"regex": "old"}], ("app/a.py", "app/b.py", "app/c.txt")), ([{"command": "true"}], ())],
)
async def test_a_file_that_is_too_large_to_be_searched_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, find: list[object], large: tuple[str, ...]
) -> None:
    for module in ("scanning", "scene"):
        monkeypatch.setattr(f"activities.adapters.{module}.MAX_SEARCHED", 5)
    found = await bench.survey(*find)
    assert found.sites == ()
    assert (found.unsearched.first, found.unsearched.files) == (large, len(large))


async def test_a_finder_that_cannot_tell_fails_with_the_file(bench: Bench) -> None:
    with pytest.raises(FinderFailed, match=r"app/a\.py: in python: .*nosuch"):
        await bench.survey({"ast_grep": {"rule": {"kind": "nosuch"}}})


async def test_a_finder_that_could_not_start_or_ended_badly_says_why(bench: Bench) -> None:
    with pytest.raises(FinderFailed, match=r"the finder ended with exit code 3: no luck"):
        await bench.survey({"command": "echo no luck; exit 3"})
    script = "echo out of reach; seq 9999; echo the reason is the last line; exit 1"
    environments = {"tool": {"prepare": script, "inputs": ["app/a.py"]}}
    said = r"could not run: environment tool: prepare failed: .*the reason is the last line$"
    with pytest.raises(FinderFailed, match=f"(?s){said}"):
        await bench.survey({"command": "echo app/a.py"}, environments=environments)


MISSING = "nosuchprogram app | grep old"
CRASHED = "grep -n old app/a.py; python3 -c 'import nosuch'"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (MISSING, "nosuchprogram: command not found"),
        (f"set +e; {CRASHED}", "No module named 'nosuch'"),
        ("nosuchprogram", "exit code 127: .*command not found"),
        ("nosuchprogram app | cat", "exit code 127: .*command not found"),
    ],
)
async def test_a_finder_that_crashed_or_is_not_there_has_not_found_nothing(
    bench: Bench, command: str, said: str
) -> None:
    with pytest.raises(FinderFailed, match=f"(?s){said}"):
        await bench.survey({"command": command})


@pytest.mark.parametrize(
    ("command", "places"),
    [
        ("grep -rn nowhere app", []),
        ("grep -L 'new' app/a.py app/b.py; exit 1", [("app/a.py", None), ("app/b.py", None)]),
        ("grep -n old app/*.py; exit 1", [("app/a.py", 1), ("app/b.py", 1), ("app/b.py", 3)]),
        ("echo Found 1 error.; echo app/a.py:1; exit 1", None),
        ("(echo Found 1 error.; echo app/a.py:1; exit 1) || [ $? = 1 ]", [("app/a.py", 1)]),
    ],
)
async def test_exit_1_is_an_answer_where_it_says_nothing_but_sites(
    bench: Bench, command: str, places: list[tuple[str, int | None]] | None
) -> None:
    if places is None:
        with pytest.raises(FinderFailed, match=r"Found 1 error.*`\|\| \[ \$\? = 1 \]`"):
            await bench.survey({"command": command})
        return
    found = await bench.survey({"command": command})
    assert [(s.path, s.line) for s in found.sites] == places


async def test_what_was_found_is_asked_anew_when_its_environment_was_mended(
    bench: Bench,
) -> None:
    command = {"command": "echo $FOUND"}
    for name in ("app/a.py", "app/b.py"):
        found = await bench.survey(command, environments={"tool": {"env": {"FOUND": name}}})
        assert [site.path for site in found.sites] == [name]


async def test_a_finder_of_which_only_a_part_could_be_read_found_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.adapters.surveying.WHOLE_OUTPUT", 1000)
    with pytest.raises(FinderFailed, match="the finder printed more than"):
        await bench.survey({"command": "for i in $(seq 400); do echo app/a.py:$i; done"})


REDS = """\
echo "not ok 1 first"; echo "  ---"; echo "  at: app/b.py:1"; echo "  and: app/a.py:1"; echo "  ..."
echo "not ok 2 second"; echo "  ---"; echo "  at: app/b.py:3"; echo "  ..."
echo "not ok 3 nowhere"; echo "not ok 4 elsewhere"; echo "  ---"; echo "  at: tests/test_a.py:1"
echo "  ..."; echo "not ok 5 allowed"; echo "ok 6 fine"; echo 1..6"""


async def test_red_results_are_the_sites_in_the_files_that_they_name(bench: Bench) -> None:
    allow = [{"id": "allowed", "reason": "known"}]
    checks = {"reds": {"run": REDS, "results": "tap", "allow": allow}}
    found = await bench.survey({"failing": "reds"}, checks=checks)
    assert [(s.path, s.finder, s.what) for s in found.sites] == [
        ("app/a.py", "failing", "first"),
        ("app/b.py", "failing", "first"),
        ("app/b.py", "failing", "second"),
    ]
    assert [(f.path, f.sites) for f in found.files] == [("app/a.py", 1), ("app/b.py", 2)]
    assert found.unplaced == ("elsewhere", "nowhere")


@pytest.mark.parametrize(
    ("run", "paths"),
    [("echo app/b.py:3: broken >&2; exit 1", ["app/b.py"]), ("true", None), ("exit 1", None)],
)
async def test_a_run_without_readable_results_is_a_site_only_if_it_names_files(
    bench: Bench, run: str, paths: list[str] | None
) -> None:
    checks = {"build": {"run": run, "results": "cargo"}}
    if paths is None:
        with pytest.raises(FinderFailed, match="no readable results"):
            await bench.survey({"failing": "build"}, checks=checks)
        return
    found = await bench.survey({"failing": "build"}, checks=checks)
    assert [(s.path, s.what) for s in found.sites] == [(path, "exit") for path in paths]


COUNTED = "echo ok 1 at $(date +%s%N); echo 1..1"
"""No two runs of it say the same."""


async def test_a_result_stands_for_every_tree_in_which_all_that_it_covers_is_the_same(
    bench: Bench,
) -> None:
    spec = a_spec("m", checks={"unit": {"run": COUNTED, "results": "tap", "covers": ["/app/"]}})
    beside = commit_files(bench.hub.path, {"doc.md": "x\n"}, ref="refs/heads/a", parent=bench.base)
    inside = commit_files(bench.hub.path, {"app/a.py": "x\n"}, ref="refs/heads/b", parent=beside)

    async def ran(commit: str, *, exactly: bool = False) -> object:
        found = await bench.checker.results(
            bench.hub, spec, "unit", commit, (), whole=True, exactly=exactly
        )
        return found and found.passed

    first = await ran(bench.base, exactly=True)
    assert await ran(bench.base) == await ran(beside) == first
    assert await ran(inside) != first
    assert await ran(inside) == await ran(inside, exactly=True)
    assert await ran(beside, exactly=True) != first, "it was never measured itself"


async def test_checks_that_cover_nothing_of_a_change_are_skipped_until_the_phase_ends(
    bench: Bench,
) -> None:
    covers = {"app": ["/app/"], "tests": ["/tests/"]}
    run = {"run": "exit 1", "expect": "pass", "at": ["task", "landing", "phase"]}
    checks = {name: {**run, "covers": patterns} for name, patterns in covers.items()}
    spec = a_spec("m", checks=checks)
    phase = spec.phases[0].model_copy(update={"checks": ("app", "tests")})
    spec = spec.model_copy(update={"phases": (phase,)})
    ref = "refs/heads/a"
    change = commit_files(bench.hub.path, {"app/a.py": "x\n"}, ref=ref, parent=bench.base)
    strange = commit_files(bench.hub.path, {"doc.md": "x\n"}, ref="refs/heads/b", parent=change)
    for moment, commit, red in (
        (Moment.TASK, change, ["app"]),
        (Moment.LANDING, change, ["app"]),
        (Moment.LANDING, strange, ["app", "tests"]),
        (Moment.PHASE, change, ["app", "tests"]),
    ):
        evidence = await bench.evidence(spec, moment, commit)
        assert [c.check for c in evidence.checks] == ["app", "tests"]
        assert [c.check for c in evidence.checks if c.outcome is CheckOutcome.RED] == red


def a_comparison(new: str) -> MigrationSpec:
    run = "printf '1..2\\nok 1 a\\n%s\\n'"
    checks = {
        "old": {"run": f"{run} 'ok 2 b'", "results": "tap", "at": []},
        "new": {"run": f"{run} '{new}'", "results": "tap", "at": {"end": {"same_as": "old"}}},
    }
    return a_spec("m", checks=checks, phases=("main",))


@pytest.mark.parametrize(
    ("new", "reasons"),
    [("ok 2 b", ()), ("not ok 2 b", ("passed in old, now failing: b",))],
)
async def test_a_check_is_held_against_another_ones_run_on_the_base(
    bench: Bench, new: str, reasons: tuple[str, ...]
) -> None:
    spec = a_comparison(new)
    phase = spec.phases[0].model_copy(update={"checks": ("new",)})
    evidence = await bench.evidence(spec.model_copy(update={"phases": (phase,)}), Moment.END)
    assert [c.reasons for c in evidence.checks] == [reasons]
    assert evidence.passed is not bool(reasons)


@pytest.mark.parametrize(
    ("expect", "passes"), [("no_worse", False), ({"same_as": "unit"}, False), ("report", True)]
)
async def test_what_this_worker_lacks_is_not_verified_at_the_end(
    bench: Bench, expect: object, passes: bool
) -> None:
    checks = {
        "unit": {**TAP, "in": "plain"},
        "emulated": {**TAP, "in": "emulator", "at": {"end": expect}},
    }
    environments = {"plain": {}, "emulator": {"requires": ["no-such-emulator"]}}
    spec = a_spec("m", checks=checks, environments=environments)
    phase = spec.phases[0].model_copy(update={"checks": ("unit", "emulated")})
    evidence = await bench.evidence(spec.model_copy(update={"phases": (phase,)}), Moment.END)
    assert [c.outcome for c in evidence.checks] == [CheckOutcome.NOT_VERIFIED]
    assert "no-such-emulator" in evidence.checks[0].reasons[0]
    assert evidence.passed is passes


async def test_what_this_worker_lacks_before_work_begins_is_an_error(bench: Bench) -> None:
    check = {"run": "true", "in": "emulator"}
    environments = {"emulator": {"requires": ["no-such-emulator"]}}
    spec = a_spec("m", checks={"unit": check}, environments=environments)
    with pytest.raises(NotVerifiable, match="no-such-emulator"):
        await bench.evidence(spec, Moment.LANDING)


@pytest.mark.parametrize("moment", [Moment.PHASE, Moment.END])
async def test_at_the_end_files_are_all_that_the_phase_changed(
    bench: Bench, moment: Moment
) -> None:
    git(bench.hub.path, "update-ref", "refs/whimbrel/test", bench.base)
    changed = {"app/a.py": "new\n", "made/x.txt": "x\n", "pinned": "2\n", "tests/t.py": "beside\n"}
    tip = commit_files(bench.hub.path, changed, ref="refs/whimbrel/test")
    check = {"run": "printf '%s\\n' {files}; exit 1", "expect": "pass", "at": [moment]}
    phase = {
        "name": "main",
        "sites": {"include": ["/app/**"], "exclude": ["/app/b.py"]},
        "claims": ["/pinned", "/never"],
        "creates": ["/made/*.txt"],
        "ladder": [{"claude": {}}],
        "checks": ["listed", "replaced"],
    }
    replaced = {**check, "whole": "everything"}
    spec = a_spec("m", checks={"listed": check, "replaced": replaced})
    spec = MigrationSpec.model_validate({**spec.model_dump(by_alias=True), "phases": [phase]})
    listed, instead = (await bench.evidence(spec, moment, tip)).checks
    assert listed.tail.split() == ["app/a.py", "made/x.txt", "pinned"]
    assert instead.tail.split() == ["everything"]
    nothing = (await bench.evidence(spec, moment)).checks
    assert [c.outcome for c in nothing] == [CheckOutcome.SKIPPED, CheckOutcome.RED]
