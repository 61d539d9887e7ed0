"""A planner's form becomes tasks and areas, or comes back with all that is wrong with it."""

from decimal import Decimal

import pytest
from builders import COMMIT, a_spec

from activities.contracts.base import BlobRef
from activities.contracts.plan_form import MAX_DEPTH, MAX_FILES, PlanForm
from activities.contracts.scopes import PlanPart, PlanScope
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import Site, SurveyData, SurveyedFile
from activities.drawing import Drawn, draw, draw_static, joined
from activities.ground import Ground

NOWHERE = BlobRef(migration="m", sha256="0" * 64, size=0)
FILES = ("api/a.py", "api/b.py", "core.py", "web/c.py", "web/d.py")


def a_ground(
    files: tuple[str, ...] = FILES,
    mine: tuple[str, ...] | None = None,
    spec: MigrationSpec | None = None,
    **scope: object,
) -> Ground:
    survey = SurveyData(
        commit=COMMIT,
        phase="main",
        files=tuple(SurveyedFile(path=p, size=1, blob="b", sites=2) for p in files),
        sites=tuple(Site(path=p, line=n) for p in files for n in (1, 2)),
    )
    given = PlanScope.model_validate({"cycle": 3, "files": NOWHERE, **scope})
    tree = frozenset((*files, "README", "setup.py"))
    owned = frozenset(files if mine is None else mine)
    return Ground(spec or a_spec("m"), survey, tree, given, owned)


def drawn(ground: Ground | None = None, **form: object) -> Drawn:
    return draw(PlanForm.model_validate({"summary": "so", **form}), ground or a_ground())


def a_task(key: str, *files: str, **more: object) -> dict[str, object]:
    return {"key": key, "title": key, "files": files, **more}


def test_ids_counts_and_areas_are_the_systems_and_needs_follow_them():
    core = a_task("core", "core.py", "README", instructions="Keep it small.", priority=1)
    api = a_task("api", "api/", needs=["core"], instructions="Like core.")
    web = {"key": "web", "title": "web", "files": ["web/*"], "decisions": ["x"], "needs": ["api"]}
    made = drawn(tasks=[core, api], areas=[web], instructions="Use y.", first=["core"])
    assert not made.faults
    assert [(t.id, t.claims, t.needs, t.sites, t.area) for t in made.part.tasks] == [
        ("c3-0001", ("README", "core.py"), (), 2, "root"),
        ("c3-0002", ("api/a.py", "api/b.py"), ("c3-0001",), 4, "root"),
    ]
    assert [t.instructions for t in made.part.tasks] == [
        "Keep it small.\n\nUse y.",
        "Like core.\n\nUse y.",
    ]
    assert made.part.pilot == ("c3-0001",)
    assert [(a.path, a.area, a.files, a.decisions) for a in made.areas] == [
        ("a1", "web", ("web/c.py", "web/d.py"), ("x",))
    ]
    assert [(a.path, a.needs) for a in made.part.areas] == [("a1", ("c3-0002",))]


def test_what_it_has_no_opinion_on_is_left_to_the_split():
    made = drawn(tasks=[a_task("core", "core.py")], take_static=True, instructions="Use y.")
    assert not made.faults
    first, *rest = made.part.tasks
    assert first.claims == ("core.py",)
    assert sorted(p for task in rest for p in task.claims) == sorted(set(FILES) - {"core.py"})
    assert {task.instructions for task in rest} == {"Use y."}
    whole = drawn(take_static=True)
    assert [t.claims for t in whole.part.tasks] == [
        t.claims for t in draw_static(a_ground()).part.tasks
    ]


def test_a_bad_plan_comes_back_with_all_its_faults_in_the_planners_own_keys():
    spec = a_spec("m", protect=["/web/d.py"])
    made = drawn(
        a_ground(spec=spec),
        tasks=[
            a_task("one", "core.py", "nowhere/*", needs=["two"]),
            a_task("two", "core.py", "web/", needs=["one", "three"], creates=["new.py"]),
        ],
        first=["four"],
    )
    said = "\n".join(made.faults)
    for fault in (
        "one: 'nowhere/*' names no file",
        "two: needs three, which is not in the plan",
        "needs form a cycle: one → two → one",
        "core.py: has sites and belongs to one, two",
        "api/a.py: has sites and no task claims it",
        "two: creates new.py",
        "web/d.py is protected",
        "pilot: four is not in the plan",
    ):
        assert fault in said
    assert made.part == PlanPart()


def test_an_areas_planner_stays_inside_and_its_ids_are_its_own():
    ground = a_ground(mine=("web/c.py", "web/d.py"), path="a1", area="web", depth=1)
    made = drawn(ground, tasks=[a_task("c", "web/c.py")], take_static=True)
    assert [(t.id, t.area) for t in made.part.tasks] == [
        ("c3-a1-0001", "web"),
        ("c3-a1-0002", "web"),
    ]
    for outside in ("core.py", "README"):
        made = drawn(ground, tasks=[a_task("c", "web/", outside)])
        assert made.faults == (f"task c: {outside} is not yours to plan; name it in your summary",)
    deeper = drawn(ground, areas=[a_task("d", "web/d.py")], tasks=[a_task("c", "web/c.py")])
    assert (deeper.areas[0].path, deeper.areas[0].area) == ("a1-a1", "web/d")


def test_who_has_too_much_in_view_has_to_open_areas_and_the_deepest_may_not():
    many = tuple(f"m/{n}.py" for n in range(MAX_FILES + 1))
    assert "open areas" in drawn(a_ground(many), take_static=True).faults[0]
    assert not drawn(a_ground(many), areas=[a_task("a", "m/")]).faults
    deepest = a_ground(many, depth=MAX_DEPTH, path="a1-a1")
    assert not drawn(deepest, take_static=True).faults
    assert "divide them into tasks" in drawn(deepest, areas=[a_task("a", "m/")]).faults[0]


def test_tasks_that_all_hold_one_file_are_in_no_two_areas():
    spec = a_spec("m", pilot=0)
    phase = spec.phases[0].model_copy(update={"claims": ("/setup.py",)})
    spec = spec.model_copy(update={"phases": (phase,)})
    areas = [a_task("a", "api/"), a_task("b", "web/", "core.py")]
    assert (
        "setup.py, so they go one after the other"
        in drawn(a_ground(spec=spec), areas=areas).faults[0]
    )


def test_what_needs_an_area_waits_for_its_last_tasks():
    web = {"key": "web", "title": "w", "files": ["web/"], "needs": ["core"]}
    made = drawn(
        tasks=[a_task("core", "core.py"), a_task("api", "api/", needs=["web"])], areas=[web]
    )
    assert not made.faults
    inside = a_ground(mine=("web/c.py", "web/d.py"), path="a1", area="web", depth=1)
    tasks = [a_task("c", "web/c.py"), a_task("d", "web/d.py", needs=["c"])]
    plan = joined(made.part, [drawn(inside, tasks=tasks).part])
    assert [(t.id, t.needs) for t in plan.tasks] == [
        ("c3-0001", ()),
        ("c3-0002", ("c3-a1-0002",)),
        ("c3-a1-0001", ("c3-0001",)),
        ("c3-a1-0002", ("c3-a1-0001",)),
    ]
    assert not plan.areas


def test_field_notes_have_a_bound_and_are_the_roots():
    assert "200 lines" in drawn(take_static=True, notes="x\n" * 201).faults[0]
    assert drawn(take_static=True, notes="Tabs.\n").part.notes == "Tabs."
    below = a_ground(mine=("web/c.py",), path="a1", depth=1)
    assert drawn(below, take_static=True, notes="Tabs.").part.notes == ""


def test_an_areas_share_of_the_money_goes_with_its_planner_and_into_the_plan():
    rich = a_spec("m", limits={"usd": 20.0})
    web = a_task("web", "web/*", usd=5.5)
    made = drawn(
        a_ground(spec=rich), areas=[web, a_task("api", "api/")], tasks=[a_task("c", "core.py")]
    )
    assert not made.faults
    assert [(area.area, area.usd) for area in made.areas] == [
        ("web", Decimal("5.5")),
        ("api", None),
    ]
    inside = {"mine": ("web/c.py", "web/d.py"), "path": "a1", "area": "web", "depth": 1}
    ground = a_ground(spec=rich, usd=Decimal("5.5"), **inside)
    deeper = drawn(ground, areas=[a_task("d", "web/d.py", usd=2)], tasks=[a_task("c", "web/c.py")])
    assert deeper.part.caps == {"web/d": 2}
    below = draw_static(a_ground(mine=("web/d.py",), path="a1-a1", area="web/d", depth=2)).part
    whole = joined(made.part, [joined(deeper.part, [below]), PlanPart()])
    assert whole.caps == {"web": Decimal("5.5"), "web/d": 2}
    assert joined(made.part, [PlanPart(), PlanPart()]).caps == {}


@pytest.mark.parametrize(
    ("limits", "within", "said"),
    [
        ({"usd": 20.0}, None, ()),
        ({"task_usd": 1.0}, None, ()),
        ({}, None, ("web: usd: there is no limits.usd to take it from",)),
        ({"usd": 4.0}, None, ("web: usd: 5 is more than there is for your tasks, 4",)),
        ({"usd": 20.0}, "4.5", ("web: usd: 5 is more than there is for your tasks, 4.5",)),
    ],
)
def test_an_areas_share_lies_within_what_is_around_it(limits, within, said):
    scope = {"usd": within, "depth": 1, "path": "a1", "area": "x"} if within else {}
    ground = a_ground(spec=a_spec("m", limits=limits), **scope)
    rest = [a_task("rest", "api/", "core.py")]
    assert drawn(ground, areas=[a_task("web", "web/*", usd=5)], tasks=rest).faults == said
