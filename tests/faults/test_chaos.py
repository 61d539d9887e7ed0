"""A migration ends on the tree of an undisturbed one, whatever is killed, frozen, slowed down,
failed or done twice on the way, and every invariant holds.

`CHAOS_SEED` repeats the moments of an earlier run, `CHAOS_KILLS` says how many kills are enough.
Where a moment falls also depends on the machine.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from activities.adapters.fault_points import Effect, points_of
from activities.contracts.work import TaskStatus
from activities.faults import ACTIVITIES
from tests.faults.damage import ROLES, Outcome, in_all
from tests.faults.hurricane import PAIRS, Weather, weather

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
KILLS = int(os.environ.get("CHAOS_KILLS", "200"))
ROUNDS = 4
"""Migrations over which the points are spread, so that no process dies all the time."""
ELSEWHERE = ("ask_area", "read_ends", "steer_tasks", Effect.BLOBS_GONE, Effect.HUB_GONE)
"""What only fleets and people ask for, who are not here."""
AGENTS = (
    *("open_worker_talk", "take_turn", "use_tools", "conclude_attempt", "hear_agent", "sum_spend"),
    *("draw_plan", "join_plan", "open_planner_talk", "open_judge_talk", "take_opinion"),
)
"""Agents' steps: they have kills of their own, with an API that keeps accounts."""
ASKED = ("ask_for_files",)
"""Of commands that ask for files: tests/test_end_to_end_files.py kills there."""
MIRRORS = (Effect.REF_MIRRORED, Effect.PUSHED, Effect.REF_SENT)
"""Hosts without the hub's disk: tests/adapters/test_mirrors.py kills them at each."""
PUSHES = ("find_push", "settle_push", Effect.REF_SET_BACK, Effect.REF_ACCEPTED)
"""Where somebody else pushes to the green branch: tests/test_end_to_end_pushed.py and
tests/adapters/test_green_branch.py kill there."""
LISTS = ("list_mcp_tools", "reserve_cap", "refund_cap")
"""Where operators give tools or caps: tests/test_end_to_end_mcp.py kills there."""
UNSEEN = (*ELSEWHERE, *AGENTS, *ASKED, *MIRRORS, *PUSHES, *LISTS, Effect.INTENT, Effect.REPLY)
POINTS = points_of(name for name in (*ACTIVITIES, *Effect) if name not in UNSEEN)
AFTER_TROUBLE = points_of(["close_workspace"])
"""Where nobody comes by but after a rung that could not be run, such as MILDER and FEW order."""
MILDER = (
    "duplicate@after:compose_batch",
    "duplicate@after:land",
    "duplicate@after:run_checks",
    "duplicate@after:open_workspace",
    "duplicate@after:ask_to_land",
    "duplicate@after:answer_tasks",
    "duplicate@after:hand_off",
    "duplicate@after:put_back",
    "error@before:run_rung",
    "error@after:run_rung",
    "error@before:ref/land",
    "error@after:ref/land",
    "error@after:blob/put",
    "slow/12@before:land",
    "slow/3@before:ref/checkpoint",
    "freeze/12@before:ref/land",
    "freeze/12@before:ref/checkpoint",
    "freeze/12@after:run_checks",
)
FEW = (
    "crash@after:ref/land",
    "crash@after:land",
    "crash@before:ref/checkpoint",
    "crash@after:run_rung",
    "crash@after:open_workspace",
    "crash@after:compose_batch",
    "crash@after:look_at_base",
    "crash@after:compose_base_merge",
    "crash@after:ask_to_land",
    "crash@after:answer_tasks",
    "crash@before:hand_off",
    "crash@after:run_checks",
    "crash@after:ref/keep",
    "crash@before:pack/index",
    "crash@after:take_survey",
    "crash@after:claim_branch",
    "crash@after:write_report",
    "duplicate@after:land",
    "duplicate@after:put_back",
    "error@before:run_rung",
    "error@after:ref/land",
)


def spread(points: list[str], over: int) -> list[list[str]]:
    """The first round gets the first point, the second the next."""
    return [points[number::over] for number in range(over)]


@pytest.mark.timeout(300)
async def test_a_migration_ends_as_an_undisturbed_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The undisturbed one comes by every point too, or the large test would wait in vain there."""
    calm = [point for point in POINTS if point not in AFTER_TROUBLE]
    breeze = Weather(seed=1, orders=[f"slow/0.01@{point}" for point in calm], most=0)
    trouble = [*FEW, *(f"slow/0.01@{point}" for point in AFTER_TROUBLE)]
    storm = Weather(seed=1, orders=trouble, pause=(3.0, 7.0), most=6)
    quiet, struck = await asyncio.gather(
        weather(tmp_path / "quiet", "quiet", 6, ("all",), breeze),
        weather(tmp_path / "struck", "struck", 6, ROLES, storm),
    )
    with capsys.disabled():
        print(f"\n{struck}")
    struck.assert_sound()
    quiet.assert_sound()
    assert struck.tree == quiet.tree
    assert quiet.unreached == struck.unreached == []
    assert struck.report.interruptions.get("worker", 0) >= 10, "as the starter counts them"
    assert quiet.report.interruptions == {}
    partial = [h.task for h in struck.report.handoffs if h.status is TaskStatus.PARTIAL]
    assert len(partial) == 2, "the one that breaks, and the one that is bounced"


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_two_hundred_kills_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def tell(what: object) -> None:
        with capsys.disabled():
            print(what, flush=True)

    tell(f"\nCHAOS_SEED={SEED} CHAOS_KILLS={KILLS}")
    moments = random.Random(SEED)
    points = moments.sample(POINTS, len(POINTS))
    groups = spread([f"crash@{point}" for point in points], ROUNDS)
    milder = spread(list(MILDER), ROUNDS)
    quiet = await weather(tmp_path / "quiet", "quiet", 32, PAIRS)
    quiet.assert_sound()
    tell(f"quiet: {len(quiet.report.handoffs)} tasks")
    done: list[Outcome] = []
    while sum(len(outcome.kills) for outcome in done) < KILLS or len(done) < ROUNDS:
        turn = len(done)
        orders = [*groups[turn % ROUNDS], *milder[turn % ROUNDS]]
        what = Weather(moments.randrange(1_000_000), orders)
        outcome = await weather(tmp_path / str(turn), f"round-{turn}", 32, PAIRS, what)
        tell(f"round {turn}, seed {what.seed}: {outcome}")
        outcome.assert_sound()
        assert outcome.tree == quiet.tree
        done.append(outcome)
    tell(in_all(done))
    unreached = {order for outcome in done for order in outcome.unreached}
    assert not unreached, "nobody came there"
