"""What a spent error budget holds: until its fix has landed, or until the cycle ends for it."""

from builders import REPOSITORY, a_branch, a_row

from activities.contracts.base import BlobRef
from activities.contracts.children import AreaInput, AreaRow, AreaSteering
from workflows import frontier
from workflows.steering import Steering


def about(row: AreaRow, **fields: object) -> AreaRow:
    return row.model_copy(update={"task": row.task.model_copy(update=fields)})


def test_a_cycle_ends_where_only_the_budget_holds_what_waits() -> None:
    rows = [a_row("done", state="landed"), a_row("a"), a_row("b", needs=("a",)), a_row("c")]
    assert frontier.stuck(rows, (), (), {"a", "c"}) == rows[1:]
    assert frontier.stuck(rows, (), (), {"a"}) == [], "c may start"
    assert frontier.stuck(rows, ("a",), (), {"a"}) == rows[1:], "the others wait for the pilot"
    assert frontier.stuck(rows, (), ("b",), {"a", "b", "c"}) == [], "a person paused one"
    assert frontier.stuck(rows, (), (), ()) == []
    at_work = [*rows, a_row("d", state="running")]
    assert frontier.stuck(at_work, (), (), {"a", "c"}) == [], "d may mend it"
    held = [row.model_copy(update={"state": "held"}) for row in rows[1:]]
    assert frontier.stuck(held, (), (), {"a", "c"}) == []
    assert frontier.count(held).held == frontier.count(held).total == 3


def test_it_holds_nothing_any_more_once_what_mends_that_red_has_landed() -> None:
    blob = BlobRef(migration="x", sha256="0" * 64, size=1)
    commit = "a" * 40
    area = AreaInput(
        name="x",
        area="root",
        parent="p",
        epoch="e",
        cycle=1,
        repository=REPOSITORY,
        branch=a_branch("x"),
        queue="q",
        spec=blob,
        plan=blob,
        phase="main",
        concurrency=1,
        base=commit,
        tip=commit,
        steering=AreaSteering(spent=("e2e",), reds={"e2e": "e2e-1"}, held=("by-hand",)),
    )
    steering = Steering(area)
    covered = about(a_row("covered"), deep=("e2e",))
    fix = about(a_row("fix"), mends="e2e-1")
    other = about(a_row("other", state="landed"), mends="e2e-0")
    assert steering.kept_back([covered, fix, other, a_row("free")]) == {"by-hand", "covered"}
    landed = fix.model_copy(update={"state": "landed"})
    assert steering.kept_back([covered, landed]) == {"by-hand"}
