"""What turns mean: progress, a nudge, the end."""

from decimal import Decimal

import pytest

from activities.contracts.agent import AgentEnd, AgentProgress, Allowance
from activities.contracts.base import BlobRef
from activities.contracts.conversation import ToolsUsed, TurnEnd, TurnTaken
from activities.contracts.money import Spend, Usage
from workflows import turns

BLOB = BlobRef(migration="m", sha256="0" * 64, size=1)
TEN = Allowance(turns=10)


def begun(**fields: object) -> AgentProgress:
    return AgentProgress(talk=BLOB).model_copy(update=fields)


def called(fingerprint: str = "x", end: TurnEnd = TurnEnd.CALLS) -> TurnTaken:
    return TurnTaken(end=end, calls=("read",), fingerprint=fingerprint)


def used(tree: str = "t", errors: str = "", **fields: object) -> ToolsUsed:
    return ToolsUsed(results=BLOB, tree=tree, errors=errors).model_copy(update=fields)


def a_turn(at: AgentProgress, taken: TurnTaken, came: ToolsUsed | None = None) -> AgentProgress:
    at = turns.after_reply(at, taken)
    return turns.after_tools(at, taken, came) if came else at


def test_the_same_calls_on_the_same_tree_with_the_same_answers_are_no_progress():
    at = begun()
    for _ in range(1 + turns.STUCK_AFTER):
        assert turns.over(at, TEN) is None
        at = a_turn(at, called(), used())
    assert turns.over(at, TEN) is AgentEnd.STUCK


@pytest.mark.parametrize(
    "turn",
    [
        lambda n: (called(str(n)), used()),
        lambda n: (called(), used(tree=str(n))),
        lambda n: (called(), used(errors=str(n))),
    ],
    ids=["other calls", "another tree", "other errors"],
)
def test_whatever_changes_is_progress(turn):
    at = begun()
    for number in range(3 * turns.STUCK_AFTER):
        at = a_turn(at, *turn(number))
    assert turns.over(at, Allowance(turns=200)) is None


def test_going_in_a_circle_is_no_progress_either():
    at = begun()
    for number in range(4 + turns.STUCK_AFTER):
        at = a_turn(at, called(str(number % 4)), used())
    assert turns.over(at, Allowance(turns=200)) is AgentEnd.STUCK


def test_it_is_told_so_before_it_is_stopped():
    at = begun()
    for _ in range(1 + turns.NUDGED_AFTER):
        at = a_turn(at, called(), used())
    assert turns.REPEATED in turns.to_tell(at, TEN, ())
    assert turns.over(at, TEN) is None


def test_one_that_only_talks_is_told_to_act_and_stopped_when_it_goes_on():
    at = a_turn(begun(), TurnTaken(end=TurnEnd.SAID))
    assert at.told == (turns.TALKED,)
    for _ in range(turns.STUCK_AFTER):
        at = a_turn(at, TurnTaken(end=TurnEnd.SAID))
    assert turns.over(at, TEN) is AgentEnd.STUCK


def test_a_reply_that_was_cut_is_told_so_and_its_whole_calls_count():
    at = a_turn(begun(), called(end=TurnEnd.CUT), used())
    assert at.told == (turns.CUT,)
    assert at.results == BLOB


def test_a_long_turn_that_the_api_paused_goes_on_as_it_is():
    at = a_turn(begun(), TurnTaken(end=TurnEnd.PAUSED))
    assert (at.told, at.still, at.results) == ((), 0, None)


def test_what_people_said_is_told_once_in_order_and_the_last_turn_is_announced():
    at = begun(turn=9, heard=turns.heard(("older", "old")), told=("system",))
    told = turns.to_tell(at, TEN, ("old", "new", "newer"))
    assert told == ("system", "new", "newer", turns.LAST_TURN)
    assert turns.to_tell(begun(), TEN, ()) == ()


def test_a_text_is_told_when_older_ones_had_to_go_for_it():
    """People's texts are bounded: the oldest is dropped for a new one, so no count tells."""
    at = begun(turn=3, heard=turns.heard(("1", "2", "3")))
    assert turns.to_tell(at, TEN, ("2", "3", "4")) == ("4",)


def test_it_ends_when_its_turns_are_taken():
    assert turns.over(begun(turn=10), TEN) is AgentEnd.TURNS


def test_usage_and_spend_add_up_lost_replies_included():
    spend = Spend(recorded=Decimal("0.01"), unconfirmed=Decimal("0.02"))
    taken = TurnTaken(end=TurnEnd.CALLS, usage=Usage(input=3, output=2), spend=spend)
    at = a_turn(a_turn(begun(), taken), taken)
    assert at.usage == Usage(input=6, output=4)
    assert at.spend.total == Decimal("0.06")


def test_a_checkpoint_and_evidence_stay_until_there_are_newer_ones():
    at = a_turn(begun(), called(), used(commit="1" * 40, reported=("a.py:3: old",)))
    at = a_turn(at, called("y"), used(reported=("a.py:3: old", "b.py: new")))
    assert at.checkpoint == "1" * 40
    assert at.reported == ("a.py:3: old", "b.py: new")
