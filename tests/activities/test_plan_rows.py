"""A plan that no history could carry is refused while somebody can still be told."""

from builders import a_plan, a_spec, a_task

from activities.chosen_checks import with_deep
from activities.contracts.spec import MigrationSpec
from activities.plan_rows import MOST_OF_A_PLAN, MOST_OF_A_TASK, oversized, rows_of
from activities.plan_rules import chain_behind


def paths(count: int, of: int = 0) -> list[str]:
    """So many paths of a hundred bytes; `of` keeps those of one task apart from another's."""
    return [f"{of:05}/{n:05}/{'x' * 85}.py" for n in range(count)]


def test_a_plan_of_thousands_of_files_is_carried() -> None:
    tasks = [a_task(f"c1-{n:04}", *paths(20, n)) for n in range(500)]
    assert oversized(a_plan("m", "1" * 40, *tasks)) == []


def test_a_task_of_too_many_files_is_named() -> None:
    most = MOST_OF_A_TASK // len(paths(1)[0])
    large, fits = a_task("c1-0002", *paths(most + 1)), a_task("c1-0001", *paths(most, 1))
    [error] = oversized(a_plan("m", "1" * 40, fits, large))
    assert error.startswith("task c1-0002: its paths come to ")
    assert error.endswith("let fewer files share a task (split)")


def test_a_plan_of_too_many_tasks_says_what_to_do() -> None:
    tasks = [a_task(f"c1-{n:04}", *paths(20, n)) for n in range(MOST_OF_A_PLAN // 2000)]
    [error] = oversized(a_plan("m", "1" * 40, *tasks))
    assert error.startswith("786 tasks with 15,720 files come to ")
    assert "part the work into phases" in error


def test_a_task_knows_the_longest_chain_of_tasks_that_need_it() -> None:
    needs = {"a": (), "b": ("a",), "c": ("b",), "d": ("a",), "e": ("c", "d"), "f": ()}
    tasks = [a_task(id, needs=need) for id, need in needs.items()]
    assert [chain_behind(tasks, id) for id in "abcdef"] == [3, 2, 1, 1, 0, 0]


def test_a_row_says_which_checks_behind_the_landings_its_task_could_break() -> None:
    checks = {
        "unit": {"run": "x"},
        "api": {"run": "x", "covers": ["/api/"]},
        "all": {"run": "x"},
    }

    def spec(**landing: object) -> MigrationSpec:
        return a_spec("m", gates=tuple(checks), checks=checks, landing=landing)

    rows = rows_of(a_plan("m", "1" * 40, a_task("a", "api/x.py", "b.py"), a_task("b", "web/x.py")))
    told = with_deep(rows, spec(deep=["api", "all"], budget={"reds": 1}), "main")
    assert [row.task.deep for row in told] == [("api", "all"), ("all",)]
    idle = with_deep(rows, spec(deep=["api", "all"]), "main")
    assert idle == rows, "nothing could stop them"
