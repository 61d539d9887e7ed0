"""Migrations from the spec to the report, by the way people take: the embedded server, worker.py
as a process, real git, the real sandbox. One service serves the module.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from activities.contracts.evidence import CheckResult
from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from activities.contracts.work import Handoff
from tests import invariants, shop
from tests.adapters.repositories import git, make_repository
from tests.service import Said, Service, filled, service, until
from tests.traces import processes_of

MODULE = {"loop_scope": "session", "scope": "module"}
SHOP = filled(
    shop.SPEC,
    **{
        "  - codemod: sed -i s/old_name/new_name/ {files}": """\
  - codemod: |
      sed -i s/old_name/new_name/ {files}
      mkdir -p made
      echo {task} > made/{task}.txt
creates: ["/made/*.txt"]
approvals: [plan]
landing: {deep: [late]}""",
        "checks:\n": """\
checks:
  late: {run: [/usr/bin/python3, run_checks.py], results: tap, at: [landing]}
""",
        "NAME": "shop",
    },
)


@pytest_asyncio.fixture(**MODULE)
async def whimbrel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    async with service(tmp_path_factory.mktemp("home")) as running:
        yield running


def tree_hash(folder: Path) -> str:
    """Every name, mode and byte below a folder, its .git included."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = str(path.readlink()) if path.is_symlink() else ""
        found.update(repr((bytes(path), mode, content)).encode())
        found.update(path.read_bytes() if path.is_file() and not content else b"")
    return found.hexdigest()


@dataclass
class Shop:
    """The shop, migrated through the starter."""

    report: MigrationReport
    hub: Path
    said: Mapping[str, Said]
    plan: dict[str, Any]
    upstream: tuple[str, str]
    """Its hash before and after."""

    def handoff(self, task: str) -> Handoff:
        return next(h for h in self.report.handoffs if h.task == task)

    def content(self, path: str) -> bytes:
        return git(self.hub, "cat-file", "-p", f"{self.report.tip}:{path}")


@pytest_asyncio.fixture(**MODULE)
async def migrated(whimbrel: Service, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Plan, start of that plan, approval, the end: each a verb of its own."""
    folder = tmp_path_factory.mktemp("shop")
    shop.make_shop(folder / "upstream")
    before = tree_hash(folder / "upstream")
    (folder / "spec.yaml").write_text(filled(SHOP, REPOSITORY="upstream"))
    spec, plan = str(folder / "spec.yaml"), str(folder / "plan.json")
    said: dict[str, Said] = {}
    said["plan"] = await whimbrel.starter("plan", spec, "-o", plan, "--json")
    said["start"] = await whimbrel.starter("start", spec, "--plan", plan)
    handle = whimbrel.client.get_workflow_handle("migration/shop")
    await until(handle, lambda progress: progress.stage is Stage.APPROVAL)
    said["early report"] = await whimbrel.starter("report", "shop")
    said["approve"] = await whimbrel.starter("approve", "shop", "-m", "looks right")
    said["watch"] = await whimbrel.starter("watch", "shop", "--json")
    reads = {
        "approve again": ("approve", "shop"),
        "status": ("status", "sh", "--json"),
        "report": ("report", "shop", "--json"),
        "report for people": ("report", "shop"),
        "report page": ("report", "shop", "--html"),
        "diff": ("diff", "shop", "--stat"),
        "show": ("show", "shop", "c1-0003", "--json"),
        "show nothing": ("show", "shop", "c9"),
        "list": ("list", "--json"),
        "status of nothing": ("status", "nothing"),
    }
    answers = await asyncio.gather(*(whimbrel.starter(*words) for words in reads.values()))
    said |= dict(zip(reads, answers, strict=True))
    report = MigrationReport.model_validate_json(said["report"].out)
    hashes = before, tree_hash(folder / "upstream")
    return Shop(report, whimbrel.hub(report), said, json.loads(_read(plan)), hashes)


def _checked(handoff: Handoff) -> list[CheckResult]:
    return [c for a in handoff.attempts if a.evidence for c in a.evidence.checks]


def _read(path: str) -> str:
    return Path(path).read_text()


async def test_every_verb_answers_with_its_exit_code(migrated: Shop) -> None:
    codes = {verb: said.code for verb, said in migrated.said.items()}
    assert codes == {
        "plan": 0,
        "start": 0,
        "early report": 3,
        "approve": 0,
        "watch": 1,
        "approve again": 3,
        "status": 0,
        "report": 0,
        "report for people": 0,
        "report page": 0,
        "diff": 0,
        "show": 0,
        "show nothing": 3,
        "list": 0,
        "status of nothing": 3,
    }


async def test_answers_are_data_with_a_schema(migrated: Shop) -> None:
    said = {verb: migrated.said[verb] for verb in ("plan", "watch", "status", "show", "list")}
    answers = {verb: json.loads(answer.out) for verb, answer in said.items()}
    assert {a["schema"].split("/")[0] for a in answers.values()} == {
        "whimbrel.plan",
        "whimbrel.result",
        "whimbrel.status",
        "whimbrel.task",
        "whimbrel.list",
    }
    assert answers["plan"]["forecast"]["task_count"] == 6
    assert answers["status"]["stage"] == answers["watch"]["stage"] == "done with leftovers"
    assert answers["show"]["status"] == "partial"
    assert [row["name"] for row in answers["list"]["migrations"]] == ["shop"]
    assert shop.TRAP in migrated.said["report for people"].out
    assert "shop has ended" in migrated.said["approve again"].err
    assert "files changed" in migrated.said["diff"].out


async def test_exactly_the_saved_plan_was_run(migrated: Shop) -> None:
    planned = {task["id"]: set(task["claims"]) for task in migrated.plan["tasks"]}
    assert planned == {f"c1-{a + 1:04}": {f"area{a}/m{m}.py" for m in range(4)} for a in range(6)}
    assert {h.task for h in migrated.report.handoffs} == set(planned)
    assert [(d.verb, d.reason) for d in migrated.report.decisions] == [("approve", "looks right")]


async def test_the_green_branch_is_sound(whimbrel: Service, migrated: Shop) -> None:
    invariants.assert_sound(whimbrel.home, migrated.hub, migrated.report, deep=("late",))


async def test_the_branch_beside_it_was_moved_by_the_deep_checks(migrated: Shop) -> None:
    beside = git(migrated.hub, "rev-parse", f"{migrated.report.branch}-green").decode().strip()
    assert beside == migrated.report.tip
    assert migrated.report.deep
    assert (migrated.report.deep.green, migrated.report.deep.reds) == (beside, ())
    gated = {c.check for h in migrated.report.handoffs for c in _checked(h)}
    assert gated == {"all"}


async def test_the_report_says_when_what_landed(migrated: Shop) -> None:
    report = migrated.report
    landed = {task: at.commit for at in report.landings for task in at.tasks}
    assert landed == {h.task: h.landed for h in report.handoffs}
    times = [at.at for at in report.landings]
    assert [report.started_at, *times, report.finished_at] == sorted(
        [report.started_at, *times, report.finished_at]
    )
    # Four modules and a new file in each of six folders, one of which is put back.
    assert sum(at.files for at in report.landings) == 29
    assert sum(h.sites for h in report.handoffs) == report.sites_at_start
    assert migrated.handoff("c1-0003").title == "area2 (4 files)"
    page = migrated.said["report page"].out
    assert page.index(shop.TRAP) < page.index("<svg")


async def test_a_file_whose_test_breaks_is_put_back_and_named(migrated: Shop) -> None:
    handoff = migrated.handoff("c1-0003")
    assert handoff.status == "partial"
    assert [entry.path for entry in handoff.put_back] == [shop.TRAP]
    assert shop.TRAP in handoff.put_back[0].reason
    assert set(handoff.files) == {"area2/m0.py", "area2/m1.py", "area2/m2.py", "made/c1-0003.txt"}
    assert b"old_name" in migrated.content(shop.TRAP)
    others = [h for h in migrated.report.handoffs if h.task != "c1-0003"]
    assert {h.status for h in others} == {"landed"}


async def test_what_was_red_before_is_not_the_tasks_failure(migrated: Shop) -> None:
    red = (shop.RED_BEFORE,)
    assert migrated.report.baseline_failures == {"all": red, "late": red}
    assert shop.RED_BEFORE in migrated.handoff("c1-0006").files
    assert b"new_name" in migrated.content(shop.RED_BEFORE)


async def test_new_files_land_although_the_tree_ignores_them(migrated: Shop) -> None:
    assert migrated.content(".gitignore") == b"/made/\n"
    for number in range(1, 7):
        assert migrated.content(f"made/c1-{number:04}.txt") == f"c1-{number:04}\n".encode()


async def test_only_the_sites_differ_from_the_base(migrated: Shop) -> None:
    report = migrated.report
    touched = invariants.changed(migrated.hub, report.base, report.tip)
    made = {f"made/c1-{number:04}.txt" for number in range(1, 7)}
    assert touched == set(shop.modules()) - {shop.TRAP} | made
    expected = shop.module(4).replace("old_name", "new_name").replace("\n", "\r\n")
    assert migrated.content("area1/m0.py") == expected.encode()
    listed = git(migrated.hub, "ls-tree", "-r", "-z", report.tip).split(b"\0")[:-1]
    modes = {path: entry.split()[0] for entry, path in (line.split(b"\t") for line in listed)}
    assert modes[b"area1/m1.py"] == b"100755"
    assert modes[b"area4/link.py"] == modes[b"other/dangling"] == b"120000"
    assert modes[b"vendor/lib"] == b"160000"
    assert b"other/caf\xe9.txt" in modes


async def test_upstream_is_byte_identical_afterwards(migrated: Shop) -> None:
    before, after = migrated.upstream
    assert before == after


ODD_TOOL = """\
import pathlib, sys

def new(path, eol="\\n"):
    text = path.read_text().replace("old_name", "new_name")
    path.write_bytes(text.replace("\\n", eol).encode())

path = pathlib.Path(sys.argv[1])
what = path.stem
if what == "failing":
    sys.exit(1)
if what != "lazy":
    new(path, "\\r\\n" if what == "crlf" else "\\n")
if what == "halfway":
    sys.exit(1)
if what == "outside":
    pathlib.Path("README").write_text("improved\\n")
if what == "licence":
    path.write_text(path.read_text().replace("SPDX-License-Identifier", "Licence"))
if what == "mode":
    path.chmod(0o755)
if what == "secret":
    pathlib.Path("conf").mkdir(exist_ok=True)
    pathlib.Path("conf/secret.txt").write_text("mine\\n")
if what == "litter":
    pathlib.Path("notes.txt").write_text("left behind\\n")
"""
ODD = (
    *("crlf", "failing", "fine", "halfway", "lazy"),
    *("licence", "litter", "mode", "outside", "secret"),
)
ODD_SPEC = filled(
    shop.SPEC,
    **{
        "NAME": "odd",
        "directory, max_files: 4": "file",
        "/area*/": "/area/",
        "sed -i s/old_name/new_name/ {files}": "/usr/bin/python3 tool.py {files}",
        "checks:": """\
creates: ["/conf/*.txt"]
keep: ['SPDX-License-Identifier']
protect: ["/conf/secret.txt", "/README"]
checks:""",
    },
)


@pytest_asyncio.fixture(**MODULE)
async def odd(whimbrel: Service, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Handoff]:
    """What a tool with many faults left behind: file's stem → its task's handoff."""
    folder = tmp_path_factory.mktemp("odd") / "upstream"
    content = "# SPDX-License-Identifier: MIT\n" + shop.module(1)
    make_repository(
        folder,
        {
            **{f"area/{name}.py": content for name in ODD},
            "tool.py": ODD_TOOL,
            "run_checks.py": shop.RUNNER,
            "README": "as it was\n",
        },
    )
    report = await whimbrel.run(ODD_SPEC, REPOSITORY=str(folder))
    protect = ("/conf/secret.txt", "/README")
    invariants.assert_sound(whimbrel.home, whimbrel.hub(report), report, protect)
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS
    return dict(zip(ODD, report.handoffs, strict=True))


async def test_faults_of_a_codemod_are_told_apart(odd: Mapping[str, Handoff]) -> None:
    outcomes = {name: odd[name].attempts[0].outcome for name in ODD}
    assert outcomes == {
        "crlf": "damaged",
        "failing": "failed",
        "fine": "changed",
        "halfway": "failed_changed",
        "lazy": "no_change",
        "licence": "changed",
        "litter": "changed",
        "mode": "damaged",
        "outside": "outside",
        "secret": "changed",
    }
    notes = {name: odd[name].attempts[0].note for name in ODD}
    assert "README" in notes["outside"]
    assert "line ends flipped from LF to CRLF" in notes["crlf"]
    assert "executable bit gained" in notes["mode"]
    assert "notes.txt" in notes["litter"]


async def test_only_what_is_whole_lands(odd: Mapping[str, Handoff]) -> None:
    statuses = {name: odd[name].status for name in ODD}
    landed = {"fine": "landed", "litter": "landed", "secret": "partial"}
    assert statuses == {name: landed.get(name, "needs_person") for name in ODD}


async def test_what_the_gate_refuses_names_rule_and_path(odd: Mapping[str, Handoff]) -> None:
    assert odd["secret"].bounces == odd["licence"].bounces == 1
    (secret,) = odd["secret"].put_back
    assert secret.path == "conf/secret.txt"
    assert "protected-path" in secret.reason
    (licence,) = odd["licence"].put_back
    assert licence.path == "area/licence.py"
    assert "keep-pattern" in licence.reason
    assert "SPDX-License-Identifier" in licence.reason


TOGETHER = """\
print("1..1")
texts = [open(f"area/{name}.py").read() for name in ("one", "two")]
print("ok" if any("old_name" in text for text in texts) else "not ok", "1 - one of them stays old")
"""


async def test_changes_that_are_green_alone_and_red_together_do_not_both_land(
    whimbrel: Service, tmp_path: Path
) -> None:
    sources = {f"area/{name}.py": shop.module(1) for name in ("one", "two")}
    make_repository(tmp_path / "upstream", {**sources, "run_checks.py": TOGETHER})
    spec = filled(shop.SPEC, **{"directory, max_files: 4": "file", "/area*/": "/area/"})
    report = await whimbrel.run(spec, NAME="together", REPOSITORY=str(tmp_path / "upstream"))
    invariants.assert_sound(whimbrel.home, whimbrel.hub(report), report)
    assert sorted(h.status for h in report.handoffs) == ["landed", "needs_person"]
    (bounced,) = [h for h in report.handoffs if h.status == "needs_person"]
    assert bounced.bounces >= 1
    assert "one of them stays old" in bounced.put_back[0].reason


LONG = """\
import sys
names = ["area/one.py", "area/two.py"]
for number in range(1, 30001):
    print("ok", number, "-", "a result with a long name that fills the output", number)
    if number in (10000, 20000):
        name = names[number // 10000 - 1]
        red = "new_name" in open(name).read() and name.endswith("two.py")
        print("not ok" if red else "ok", "-", name)
        print(f"  ---\\n  at: {name}\\n  ...")
print("1..30002")
"""


async def test_a_failure_in_the_middle_of_a_long_output_is_seen(
    whimbrel: Service, tmp_path: Path
) -> None:
    sources = {f"area/{name}.py": shop.module(1) for name in ("one", "two")}
    make_repository(tmp_path / "upstream", {**sources, "run_checks.py": LONG})
    spec = filled(shop.SPEC, **{"{by: directory, max_files: 4}": "whole", "/area*/": "/area/"})
    report = await whimbrel.run(spec, NAME="long", REPOSITORY=str(tmp_path / "upstream"))
    (handoff,) = report.handoffs
    assert handoff.files == ("area/one.py",)
    assert [entry.path for entry in handoff.put_back] == ["area/two.py"]


async def test_a_plan_can_be_looked_at_and_starts_nothing(
    whimbrel: Service, tmp_path: Path
) -> None:
    shop.make_shop(tmp_path / "upstream")
    sizes: dict[str, list[int]] = {}
    for by in ("whole", "file", "{by: directory, max_files: 2}"):
        spec = filled(shop.SPEC, NAME="looked-at", REPOSITORY=str(tmp_path / "upstream"))
        (tmp_path / "spec.yaml").write_text(spec.replace("{by: directory, max_files: 4}", by))
        said = await whimbrel.starter("plan", str(tmp_path / "spec.yaml"), "--json")
        tasks = json.loads(said.out)["plan"]["tasks"]
        sizes[by] = [len(task["claims"]) for task in tasks]
    assert [sizes[by] for by in sizes] == [[24], [1] * 24, [2] * 12]
    said = await whimbrel.starter("status", "looked-at")
    assert said.code == 3


async def test_nothing_is_left_behind(whimbrel: Service) -> None:
    invariants.assert_nothing_left_on_disk(whimbrel.home)
    assert whimbrel.worker is not None
    own = [whimbrel.server.pid, whimbrel.worker.pid, "the worker's guard"]
    assert len(processes_of(whimbrel.home)) == len(own)
