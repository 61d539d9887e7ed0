"""Caps of areas: what an area may cost holds whatever its tasks do, and holds up nobody else."""

from decimal import Decimal

import pytest
from builders import a_row
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.cap_rules import cap_errors
from activities.contracts.children import AreaRow, AreaSteering, TaskCounts, Wish
from activities.contracts.commands import ChangedLimits, SetLimits
from activities.contracts.migration import MigrationState, Progress, Stage
from activities.contracts.money import AreaMoney, Spend
from activities.contracts.plan import Plan
from activities.contracts.requests import MigrationOrder
from activities.contracts.scopes import is_within
from activities.contracts.spec import Limits
from cli.render import status_text
from workflows import area_caps, budget, details, interventions, limiting, time_limit
from workflows.frontier import WAITING

AREAS = ("root", "web", "web/forms", "website", "api")


def row(area: str, number: int = 1, spent: str = "0", grant: str | None = None, **more) -> AreaRow:
    made = a_row(f"c1-{number:04}")
    money = {"spend": Spend(recorded=Decimal(spent)), "grant": Decimal(grant) if grant else None}
    task = made.task.model_copy(update={"area": area, **more})
    return made.model_copy(update={**money, "task": task, "state": "landed"})


def waiting(area: str, number: int = 1, **more: object) -> AreaRow:
    return row(area, number, **more).model_copy(update={"state": WAITING})


def steering(usd: str | None = None, **caps: str) -> AreaSteering:
    """A start of a task may cost 5."""
    areas = {area.replace("_", "/"): Decimal(cap) for area, cap in caps.items()}
    return AreaSteering(usd=Decimal(usd) if usd else None, each=Decimal(5), caps=areas)


def test_an_area_has_those_in_it_and_not_those_that_only_begin_like_it():
    assert is_within("web/forms", "web")
    assert not is_within("website", "web")
    assert not is_within("web", "web/forms")
    assert all(is_within(area, "root") for area in AREAS)


def test_a_task_gets_what_the_poorest_can_pay_and_a_refund_pays_for_others():
    rows = [row("web", spent="1"), row("web/forms", grant="2"), row("api", spent="9")]
    asks = waiting("web/forms")
    assert area_caps.grant(asks, steering("30", web="4", web_forms="9"), rows) == 1
    assert area_caps.grant(asks, steering("12.5", web="4"), rows) == Decimal("0.5")
    assert area_caps.grant(waiting("api"), steering("30", web="4"), rows) == 5
    assert area_caps.grant(asks, steering("30", web="3.4"), rows) is None
    refunded = [rows[0], row("web/forms", spent="0.1"), rows[2]]
    assert area_caps.grant(asks, steering("30", web="3.4"), refunded) == Decimal("2.3")


@given(
    st.lists(
        st.tuples(st.sampled_from(AREAS), st.decimals(0, 3, places=2)), min_size=1, max_size=40
    ),
    st.dictionaries(st.sampled_from(AREAS), st.decimals("0.01", 12, places=2)),
    st.none() | st.decimals("0.01", 20, places=2),
    st.decimals("0.01", 3, places=2),
)
@settings(deadline=None, max_examples=80)
def test_no_area_costs_more_than_its_cap_and_none_waits_while_all_can_pay(tasks, caps, usd, each):
    wanted = AreaSteering(usd=usd, each=each, caps=caps)
    rows: list[AreaRow] = []
    for number, (area, want) in enumerate(tasks):
        asks = waiting(area, number)
        granted = area_caps.grant(asks, wanted, rows)
        poor = asks.task.id in area_caps.poor(wanted, [*rows, asks])
        assert (granted is None) is (poor or budget.grant(usd, each, rows) is None)
        if granted is not None:
            spent = {"spent": str(min(want, granted))} if want < 2 else {"grant": str(granted)}
            rows.append(row(area, number, **spent))
    for area, cap in caps.items():
        inside = [row for row in rows if is_within(row.task.area, area)]
        reserved = sum((r.grant for r in inside if r.grant), Decimal(0))
        assert budget.spent(inside).total + reserved <= cap


def test_only_tasks_that_could_start_wait_for_an_areas_money():
    rows = [
        row("web", 1, spent="4.8"),
        waiting("web", 2),
        waiting("web/forms", 3),
        waiting("web", 4, needs=("c1-0002",)),
        waiting("api", 5),
    ]
    caps = {"web": Decimal(5), "api": Decimal(1)}
    wanted = AreaSteering(each=Decimal(2), caps=caps)
    assert area_caps.poor(wanted, rows) == {"c1-0002", "c1-0003", "c1-0004"}
    api, web = area_caps.standing(wanted, rows)
    assert (api.unpaid, web.unpaid, web.spend.total) == (0, 2, Decimal("4.8"))
    assert web.told == "web: 4.80 of at most 5.00 USD, 2 of its tasks wait for more"
    assert area_caps.poor(AreaSteering(caps=caps), rows) == set()


POOR = AreaMoney(area="web", cap=Decimal(5), unpaid=2)


@pytest.mark.parametrize(
    ("counts", "stands"),
    [
        (TaskCounts(areas=(POOR,), running=1), False),
        (TaskCounts(areas=(POOR,)), True),
        (TaskCounts(areas=(POOR.model_copy(update={"unpaid": 0}),)), False),
    ],
)
def test_a_person_is_asked_when_nothing_else_goes_on(counts, stands):
    state = MigrationState(counts=counts)
    assert (area_caps.broke(counts) is not None) is stands
    assert time_limit.stands_still(state) is stands
    waiting_for, command = details._waiting("m", state, order(usd=8))
    assert bool(waiting_for) is stands
    assert command == ("starter.py limits m --area web --usd 8.00" if stands else "")


def test_status_says_what_each_area_with_money_has_cost():
    progress = Progress(name="m", stage=Stage.WORK, counts=TaskCounts(areas=(POOR,), running=1))
    line = "area         web: 0.00 of at most 5.00 USD, 2 of its tasks wait for more"
    assert line in status_text(progress, "").splitlines()


def order(**fields: object) -> MigrationOrder:
    whole = {"objective": "", "branch": "b", "phases": ("main",), "concurrency": 8, "cycles": 5}
    return MigrationOrder.model_validate({**whole, "approve_plan": False, **fields})


def test_a_person_gives_an_area_what_the_migration_may_cost_and_no_more():
    state = MigrationState(limits=ChangedLimits(usd=6.0))
    assert not area_caps.refusal(state, order(usd=4), "web", Decimal(6))
    said = area_caps.refusal(state, order(usd=4), "web", Decimal(7))
    assert said.endswith("7.00 USD are more than the migration may cost, 6.00 USD")
    assert "limits.usd" in area_caps.refusal(MigrationState(), order(), "web", Decimal(1))
    assert not limiting.refusal(SetLimits(area="web", usd=1))
    assert "usd" in limiting.refusal(SetLimits(area="web", usd=1, days=3))
    assert "usd" in limiting.refusal(SetLimits(area="web"))


def test_an_area_that_no_task_is_in_is_refused_with_one_that_is_near():
    rows = [waiting("web/forms"), waiting("api", 2)]
    wish = Wish(id="1", verb="limits", area="web")
    assert interventions.grant(rows, wish)[1].refused == ""
    wrong = wish.model_copy(update={"area": "webs"})
    assert "'webs'" in interventions.grant(rows, wrong)[1].refused


@pytest.mark.parametrize(
    ("caps", "limits", "said"),
    [
        ({"web": 5, "web/forms": 5, "api": 9}, {"usd": 10.0}, ()),
        ({"web": 5}, {"task_usd": 1.0}, ()),
        ({"web": "0.3"}, {"usd": 0.3}, ()),
        ({"wbe": 5}, {"usd": 10.0}, ("area wbe is in no task; there are web",)),
        ({"web": 11}, {"usd": 10.0}, ("11 USD, more than limits.usd, which is 10.0",)),
        ({"web": 0}, {"usd": 10.0}, ("area web is given nothing",)),
        ({"web": 5}, {}, ("the spec has no limits.usd",)),
        ({"web": 5, "web/forms": 6}, {"usd": 10.0}, ("more than area web around it, which has 5",)),
    ],
)
def test_a_plans_caps_are_of_areas_that_it_has_and_within_what_is_around_them(caps, limits, said):
    tasks = [
        {"id": f"c1-{n}", "title": "t", "claims": ["a"], "area": area}
        for n, area in enumerate(("web", "web/forms", "api"))
    ]
    whole = {"migration": "m", "spec_digest": "", "base": "a" * 40, "phase": "main", "cycle": 1}
    plan = Plan.model_validate({**whole, "tasks": tasks, "caps": caps})
    errors = list(cap_errors(plan, Limits(**limits)))
    assert len(errors) == len(said)
    assert all(part in error for part, error in zip(said, errors, strict=True))
