"""A plan that was made beforehand still divides the work when its tree has gone on."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from activities.contracts.plan import Plan, Task
from activities.contracts.survey import SurveyData
from activities.given_plan import counted, moved, named_for, unplanned
from activities.plan_rules import validate_plan
from tests.activities.test_static_plan import a_plan, a_spec, a_survey, a_task

NOW = "c" * 40
SPEC = a_spec(protect=("/ci/**",), creates=("/new/**",))
PATHS = ["a", "b", "c", "d", "e"]


def later(**sites: int) -> SurveyData:
    """What a survey finds once the tree has gone on."""
    return a_survey(sites).model_copy(update={"commit": NOW})


def test_a_task_without_sites_is_left_out_and_who_needs_it_needs_what_it_needed() -> None:
    plan = a_plan(
        SPEC,
        a_task(1, "a"),
        a_task(2, "b", needs=["c1-0001"]),
        a_task(3, "c", needs=["c1-0002"]),
        a_task(4, "a", needs=["c1-0003"]),
    )
    fitted = moved(plan, later(a=1, c=2), ("a", "b", "c"))
    assert [(task.id, task.needs) for task in fitted.tasks] == [
        ("c1-0001", ()),
        ("c1-0003", ("c1-0001",)),
    ]
    assert fitted.base == NOW


def test_claims_on_what_is_gone_are_left_out_and_what_a_task_creates_is_not() -> None:
    task = a_task(1, "a", "gone", "new/x", creates=["/new/**"])
    fitted = moved(a_plan(SPEC, task), later(a=1), ("a",))
    assert fitted.tasks[0].claims == ("a", "new/x")


def test_a_file_with_sites_belongs_to_the_first_task_that_claims_it() -> None:
    plan = a_plan(SPEC, a_task(1, "a", "b"), a_task(2, "b", "c", needs=["c1-0001"]))
    fitted = moved(plan, later(a=1, b=1, c=1), ("a", "b", "c"))
    assert [task.claims for task in fitted.tasks] == [("a", "b"), ("c",)]


def test_a_pilot_of_everybody_who_is_left_is_none() -> None:
    plan = a_plan(SPEC, a_task(1, "a"), a_task(2, "b"), a_task(3, "c"), pilot=("c1-0001",))
    assert moved(plan, later(a=1, b=1), ("a", "b")).pilot == ("c1-0001",)
    assert moved(plan, later(a=1), ("a", "b")).pilot == ()
    assert moved(plan, later(b=1), ("a", "b")).pilot == ()


def test_tasks_are_named_for_the_cycle_that_runs_them() -> None:
    core = Task(id="core", title="t", claims=("b",), needs=("c1-0001",))
    plan = named_for(a_plan(SPEC, a_task(1, "a"), core, pilot=("c1-0001",)), 4)
    assert [(task.id, task.needs) for task in plan.tasks] == [
        ("c4-0001", ()),
        ("c4-core", ("c4-0001",)),
    ]
    assert (plan.cycle, plan.pilot) == (4, ("c4-0001",))
    assert named_for(plan, 4) == plan


def test_sites_are_the_surveys_and_what_nobody_claims_is_known() -> None:
    plan = a_plan(SPEC, a_task(1, "a", "b"))
    survey = later(a=2, b=1, c=1)
    assert counted(plan, survey).tasks[0].sites == 3
    assert unplanned(plan, survey) == {"c"}


def _tasks(claims: Collection[tuple[list[str], list[int]]]) -> list[Task]:
    """Tasks that need some of those before them."""
    return [
        a_task(n, *sorted(set(paths)), needs=[f"c1-{need % n:04}" for need in needs if need % n])
        for n, (paths, needs) in enumerate(claims, 1)
    ]


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(PATHS), min_size=1, max_size=3),
            st.lists(st.integers(0, 9), max_size=2),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sets(st.sampled_from(PATHS)),
    st.sets(st.sampled_from(PATHS)),
)
def test_what_was_fit_when_it_was_given_is_fit_on_any_tree(
    claims: list[tuple[list[str], list[int]]], tree: set[str], bearing: set[str]
) -> None:
    plan: Plan = a_plan(SPEC, *_tasks(claims))
    if validate_plan(plan, SPEC, None):
        return
    survey = later(**dict.fromkeys(sorted(tree & bearing), 1))
    fitted = named_for(moved(plan, survey, tree), 3)
    assert validate_plan(fitted, SPEC, survey, tree, None, unplanned(fitted, survey)) == []


def test_without_a_survey_only_the_tree_is_not_asked() -> None:
    plan = a_plan(SPEC, a_task(1, "gone"), a_task(2, "ci/x", "../y"), a_task(2, "gone"))
    told = " ".join(validate_plan(plan, SPEC, None))
    for what in ("2 tasks have this id", "both claim gone", "ci/x is protected", "'../y'"):
        assert what in told
    assert "neither in the tree" not in told
