"""Static plans cover every site once; rules find everything that is wrong with any plan."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.contracts.base import digest_of
from activities.contracts.plan import Plan, Task
from activities.contracts.spec import MigrationSpec, Split, SplitBy
from activities.contracts.survey import Site, SurveyData, SurveyedFile
from activities.grouping import split_files
from activities.plan_rules import validate_plan
from activities.static_plan import forecast, schedule_waves, static_plan

BASE = "b" * 40


def a_spec(
    split: Split | None = None, protect: tuple[str, ...] = (), **phase: object
) -> MigrationSpec:
    phases = [{"name": "bulk", "ladder": [{"claude": {}}], "split": split or Split(), **phase}]
    return MigrationSpec.model_validate(
        {
            "version": 1,
            "name": "mig",
            "repository": "/r",
            "objective": "o",
            "checks": {"unit": {"run": "true"}},
            "phases": phases,
            "protect": protect,
        }
    )


def a_survey(paths: dict[str, int], sites: tuple[Site, ...] = ()) -> SurveyData:
    files = [SurveyedFile(path=p, size=1, blob="0", sites=n) for p, n in sorted(paths.items())]
    return SurveyData(commit=BASE, phase="bulk", files=tuple(files), sites=sites)


def planned(spec: MigrationSpec, survey: SurveyData, **more: object) -> Plan:
    return static_plan(spec, digest_of(spec), survey, 1, **more)


def a_task(number: int, *claims: str, **more: object) -> Task:
    fields = {"id": f"c1-{number:04}", "title": "t", "claims": claims, **more}
    return Task.model_validate(fields)


def grants(*paths: str) -> list[dict[str, str]]:
    return [{"path": path, "reason": "its callers change"} for path in paths]


def a_plan(spec: MigrationSpec, *tasks: Task, **more: object) -> Plan:
    fields = {
        "migration": "mig",
        "spec_digest": digest_of(spec),
        "base": BASE,
        "phase": "bulk",
        "cycle": 1,
        "tasks": tasks,
        **more,
    }
    return Plan.model_validate(fields)


FILES = {
    "setup.py": 1,
    "src/a.py": 2,
    "src/b.py": 1,
    "src/sub/c.py": 3,
    "src/sub/deep/d.py": 1,
    "src/clean.py": 0,
    "src-old/e.py": 1,
    "tests/f.py": 4,
}


@pytest.mark.parametrize(
    ("split", "titles"),
    [
        (
            Split(),
            ["top level (1 file)", "src (2 files)", "src/sub (1 file)", "src/sub/deep (1 file)",
             "src-old (1 file)", "tests (1 file)"],
        ),
        (
            Split(depth=1),
            ["top level (1 file)", "src (4 files)", "src-old (1 file)", "tests (1 file)"],
        ),
        (
            Split(depth=1, max_files=3),
            ["top level (1 file)", "src 1/2 (2 files)", "src 2/2 (2 files)", "src-old (1 file)",
             "tests (1 file)"],
        ),
        (Split(by=SplitBy.WHOLE), ["everything (7 files)"]),
        (
            Split(by=SplitBy.WHOLE, max_files=5),
            ["everything 1/2 (3 files)", "everything 2/2 (4 files)"],
        ),
    ],
)  # fmt: skip
def test_files_are_grouped_as_the_split_says(split: Split, titles: list[str]) -> None:
    plan = planned(a_spec(split), a_survey(FILES))
    assert [task.title for task in plan.tasks] == titles
    assert [task.id for task in plan.tasks] == [f"c1-{n:04}" for n in range(1, len(titles) + 1)]
    assert sum(task.sites for task in plan.tasks) == 13


def test_one_file_a_task_is_titled_by_its_path() -> None:
    plan = planned(a_spec(Split(by=SplitBy.FILE)), a_survey(FILES))
    assert [(t.title, t.claims, t.sites) for t in plan.tasks][:2] == [
        ("setup.py", ("setup.py",), 1),
        ("src/a.py", ("src/a.py",), 2),
    ]
    assert len(plan.tasks) == 7


def test_what_is_done_or_excluded_is_left_out() -> None:
    plan = planned(a_spec(), a_survey(FILES), done_or_excluded=["src/a.py", "tests/f.py"])
    claimed = {path for task in plan.tasks for path in task.claims}
    assert claimed == {"setup.py", "src/b.py", "src/sub/c.py", "src/sub/deep/d.py", "src-old/e.py"}


def test_a_task_is_told_of_its_files_that_are_to_be_migrated_anew() -> None:
    survey = a_survey(FILES).model_copy(update={"anew": {"src/a.py": "both changed a"}})
    told = {task.title: task.instructions for task in planned(a_spec(), survey).tasks}
    assert [title for title, text in told.items() if text == "both changed a"] == ["src (2 files)"]
    assert sum(map(bool, told.values())) == 1


def test_a_survey_without_sites_gives_an_empty_plan() -> None:
    spec, survey = a_spec(), a_survey({"a.py": 0})
    plan = planned(spec, survey)
    assert plan.tasks == ()
    assert validate_plan(plan, spec, survey, ["a.py"]) == []
    assert forecast(plan, 8).waves == 0


def test_a_long_folder_name_keeps_its_end() -> None:
    title = planned(a_spec(), a_survey({f"{'x' * 300}/end/a.py": 1})).tasks[0].title
    assert title.endswith("/end (1 file)")
    assert len(title) <= 180


def test_files_claimed_by_the_phase_put_its_tasks_in_a_row() -> None:
    spec = a_spec(
        Split(by=SplitBy.FILE),
        ("/setup.cfg",),
        claims=["/setup.cfg", "/src/**"],
        creates=["/new.py"],
    )
    survey = a_survey({"src/a.py": 1, "src/b.py": 1, "t.py": 1})
    paths = ["setup.cfg", "src/a.py", "src/b.py", "src/clean.py", "t.py", "u.py"]
    plan = planned(spec, survey, all_paths=paths)
    assert [task.claims for task in plan.tasks] == [
        ("setup.cfg", "src/clean.py", "t.py"),
        ("setup.cfg", "src/a.py", "src/clean.py"),
        ("setup.cfg", "src/b.py", "src/clean.py"),
    ]
    assert [task.needs for task in plan.tasks] == [(), ("c1-0001",), ("c1-0002",)]
    assert plan.tasks[0].creates == ("/new.py",)
    assert validate_plan(plan, spec, survey, paths) == []
    assert forecast(plan, 8).waves == 3


segments = st.sampled_from(["a", "b", "a.b", "a-b", "c"])
tree_paths = st.sets(
    st.lists(segments, min_size=1, max_size=4).map(lambda s: "/".join(s) + ".py"), max_size=60
)
splits = st.builds(
    Split,
    by=st.sampled_from(SplitBy),
    depth=st.none() | st.integers(1, 3),
    max_files=st.integers(1, 7),
)


@given(tree_paths, splits)
def test_a_split_covers_every_file_exactly_once_within_bounds(
    paths: set[str], split: Split
) -> None:
    groups = split_files(paths, split)
    assert sorted(path for group in groups for path in group.paths) == sorted(paths)
    assert all(1 <= len(group.paths) <= split.bound for group in groups)
    assert len({group.title for group in groups}) == len(groups)


@given(st.integers(1, 200), st.integers(1, 30))
def test_pieces_of_a_group_are_of_even_size(files: int, most: int) -> None:
    groups = split_files((f"d/{n:03}.py" for n in range(files)), Split(max_files=most))
    sizes = {len(group.paths) for group in groups}
    assert max(sizes) - min(sizes) <= 1
    assert len(groups) == -(-files // most)
    assert all(a.paths[-1] < b.paths[0] for a, b in pairwise(groups))


SPEC = a_spec(
    protect=("/.github/**", "*.lock"), claims=["/ok.lock"], creates=["/new/**", "/lit.py"]
)
SURVEY = a_survey({"a.py": 1, "b.py": 1})
TREE = ["a.py", "b.py", "c.py", ".github/ci.yml", "x.lock", "ok.lock"]
A, B = a_task(1, "a.py"), a_task(2, "b.py")


@pytest.mark.parametrize(
    ("tasks", "errors"),
    [
        ([A, B], []),
        ([A], ["b.py: has sites and no task claims it"]),
        ([A, a_task(1, "b.py")], ["task c1-0001: 2 tasks have this id"]),
        ([a_task(1, "a.py", "c.py"), a_task(2, "b.py", "c.py")],
         ["tasks c1-0001 and c1-0002 may run at once and both claim c.py"]),
        ([a_task(1, "a.py", "c.py"), a_task(2, "b.py", "c.py", needs=["c1-0001"])], []),
        ([a_task(1, "a.py", "c.py", needs=["c1-0003"]), a_task(2, "b.py", "c.py"),
          a_task(3, "ok.lock", needs=["c1-0002"])], []),
        ([A, a_task(2, "a.py", "b.py", needs=["c1-0001"])],
         ["a.py: has sites and belongs to c1-0001, c1-0002; one must own it"]),
        ([A, a_task(2, "b.py", needs=["c1-0009"])],
         ["task c1-0002: needs c1-0009, which is not in the plan"]),
        ([a_task(1, "a.py", needs=["c1-0002"]), a_task(2, "b.py", needs=["c1-0001"])],
         ["needs form a cycle: c1-0001 → c1-0002 → c1-0001"]),
        ([A, a_task(2, "b.py", needs=["c1-0002"])], ["needs form a cycle: c1-0002 → c1-0002"]),
        ([A, a_task(2, "b.py", "gone.py")],
         ["task c1-0002: claims gone.py, which is neither in the tree nor in creates"]),
        ([A, a_task(2, "b.py", "new/x.py", creates=["/new/**"])], []),
        ([A, a_task(2, "b.py", creates=["/lit.py", "new/deep/x.py"])], []),
        ([A, a_task(2, "b.py", creates=["/else.py"])],
         ["task c1-0002: creates /else.py, which the phase does not let it create"]),
        ([A, a_task(2, "b.py", "b.py")], ["task c1-0002: claims b.py twice"]),
        ([A, a_task(2, "b.py", "../x", "/etc/passwd", ".git/config")],
         ["task c1-0002: claims '../x', which is not a path inside the repository",
          "task c1-0002: claims '/etc/passwd', which is not a path inside the repository",
          "task c1-0002: claims '.git/config', which is not a path inside the repository"]),
        ([A, a_task(2, "b.py", "x.lock", ".github/ci.yml", "ok.lock")],
         ["task c1-0002: x.lock is protected; exclude it from the sites or name it in the claims"
          " of phase bulk",
          "task c1-0002: .github/ci.yml is protected; exclude it from the sites or name it in the"
          " claims of phase bulk"]),
        ([A, a_task(2, "b.py", creates=["/new/y.lock"])],
         ["task c1-0002: new/y.lock is protected; exclude it from the sites or name it in the"
          " claims of phase bulk"]),
        ([A, a_task(2, "b.py", grants=grants("a.py", "a.py", "b.py", "x.lock", "../c", "gone.py"))],
         ["task c1-0002: is granted a.py twice, or claims it too",
          "task c1-0002: is granted b.py twice, or claims it too",
          "task c1-0002: is granted 'x.lock': it is protected",
          "task c1-0002: is granted '../c': it is not a path inside the repository",
          "task c1-0002: is granted gone.py, which is not in the tree"]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_named(tasks: list[Task], errors: list[str]) -> None:
    assert validate_plan(a_plan(SPEC, *tasks), SPEC, SURVEY, TREE) == errors


def test_a_file_of_another_task_may_be_granted_and_then_they_take_turns() -> None:
    licensed = a_task(2, "b.py", grants=grants("a.py"))
    assert validate_plan(a_plan(SPEC, A, licensed), SPEC, SURVEY, TREE) == []
    assert schedule_waves([A, licensed], 9) == [[A.id], [licensed.id]]
    many = a_task(2, "b.py", grants=grants(*(f"c{n}.py" for n in range(21))))
    tree = [*TREE, *(f"c{n}.py" for n in range(21))]
    assert validate_plan(a_plan(SPEC, A, many), SPEC, SURVEY, tree) == [
        "task c1-0002: has 21 grants; 20 are the most: divide the work otherwise"
    ]


def test_a_grant_without_a_reason_is_none() -> None:
    with pytest.raises(ValueError, match="reason"):
        a_task(2, "b.py", grants=[{"path": "a.py", "reason": " "}])


def test_a_plan_made_for_something_else_is_refused_with_all_its_errors() -> None:
    plan = a_plan(SPEC, A, base="c" * 40, spec_digest="0", migration="other", phase="gone")
    errors = validate_plan(plan, SPEC, SURVEY, TREE)
    assert [e.split()[0] for e in errors] == [
        "migration", "base", "phase", "spec_digest", "phase", "b.py:",
    ]  # fmt: skip


def test_the_digest_a_plan_must_carry_can_be_given() -> None:
    plan = a_plan(SPEC, A, B, spec_digest="given")
    assert validate_plan(plan, SPEC, SURVEY, TREE, spec_digest="given") == []


def test_a_site_without_a_file_row_needs_an_owner_too() -> None:
    survey = a_survey({"a.py": 1}, sites=(Site(path="c.py", line=1),))
    assert validate_plan(a_plan(SPEC, A), SPEC, survey, TREE) == [
        "c.py: has sites and no task claims it"
    ]


def test_sites_of_finished_files_need_no_owner() -> None:
    assert validate_plan(a_plan(SPEC, A), SPEC, SURVEY, TREE, done_or_excluded=["b.py"]) == []


def test_errors_are_bounded() -> None:
    survey = a_survey({f"f{n}.py": 1 for n in range(1000)})
    errors = validate_plan(a_plan(SPEC, A), SPEC, survey, TREE)
    assert len(errors) == 201
    assert errors[-1] == "and 800 more"


def test_waves_follow_needs_priority_and_claims() -> None:
    tasks = [
        a_task(1, "a", needs=["c1-0003"]),
        a_task(2, "b"),
        a_task(3, "c", priority=1),
        a_task(4, "b", "d"),
        a_task(5, "e", needs=["c1-0001", "c1-0004"]),
    ]
    assert schedule_waves(tasks, 2) == [
        ["c1-0003", "c1-0002"],
        ["c1-0001", "c1-0004"],
        ["c1-0005"],
    ]
    assert schedule_waves(tasks, 1) == [[f"c1-000{n}"] for n in (3, 1, 2, 4, 5)]


def test_a_forecast_counts_what_will_run() -> None:
    plan = planned(a_spec(Split(by=SplitBy.FILE)), a_survey(FILES))
    said = forecast(plan, 3, task_checks=2, landing_checks=1)
    assert (said.waves, said.task_count, said.file_count, said.site_count) == (3, 7, 7, 13)
    assert said.check_runs == 7 * 2 + 3
    assert forecast(plan, 3, notes=("", "1 file: a")).note == f"{said.note}; 1 file: a"


@pytest.mark.parametrize("claims", [(), ("/shared/**",)])
def test_a_hundred_thousand_files_take_seconds(claims: tuple[str, ...]) -> None:
    paths = {f"pkg{n % 700}/mod{n % 13}/file{n}.py": 1 for n in range(100_000)}
    spec = a_spec(Split(max_files=10), ("/.github/**",), claims=claims)
    survey = a_survey(paths)
    tree = [*paths, "shared/one.py"]
    begun = time.thread_time()
    plan = planned(spec, survey, all_paths=tree)
    assert validate_plan(plan, spec, survey, tree) == []
    assert forecast(plan, 50).file_count == len(paths) + len(claims)
    assert time.thread_time() - begun < 10
