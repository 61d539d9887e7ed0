"""What follows a judged cycle."""

import pytest

from activities.contracts.migration import Stage, Verdict
from activities.contracts.opinion import Opinion
from workflows.judge import next_stage, weighed


@pytest.mark.parametrize(
    ("open_sites", "leftover", "idle", "left", "stage"),
    [
        (0, 0, 0, 3, Stage.DONE),
        (0, 4, 0, 3, Stage.DONE_WITH_LEFTOVERS),
        (0, 0, 2, 0, Stage.DONE),
        (5, 0, 0, 3, Stage.PLAN),
        (5, 4, 1, 3, Stage.PLAN),
        (5, 0, 2, 3, Stage.STOPPED),
        (5, 0, 0, 0, Stage.STOPPED),
    ],
)
def test_another_cycle_only_while_sites_are_open_and_progress_is_made(
    open_sites, leftover, idle, left, stage
):
    verdict = Verdict(open_sites=open_sites, leftover_sites=leftover)
    assert next_stage(verdict, idle, left) is stage


def test_what_may_be_followed_up_begins_a_cycle_and_keeps_nothing_from_ending():
    assert next_stage(Verdict(follow_ups=2), 0, 1) is Stage.PLAN
    assert next_stage(Verdict(follow_ups=2), 0, 0) is Stage.DONE
    assert next_stage(Verdict(follow_ups=2), 2, 1) is Stage.DONE
    assert next_stage(Verdict(follow_ups=2, leftover_sites=1), 0, 0) is Stage.DONE_WITH_LEFTOVERS
    assert next_stage(Verdict(follow_ups=2, open_sites=1), 0, 0) is Stage.STOPPED


def test_red_results_that_no_task_can_take_are_leftovers():
    assert next_stage(Verdict(left_beside=1), 0, 3) is Stage.DONE_WITH_LEFTOVERS
    assert next_stage(Verdict(unplaced=1), 0, 3) is Stage.DONE_WITH_LEFTOVERS
    assert next_stage(Verdict(unplaced=1, open_sites=1), 0, 3) is Stage.PLAN


@pytest.mark.parametrize("verdict", ["pass", "concerns", "fail", "none"])
@pytest.mark.parametrize("stage", list(Stage))
def test_an_opinion_makes_nothing_better_than_it_was_counted(stage, verdict):
    opinion = Opinion(phase="main", cycle=1, verdict=verdict, summary="so")
    after, why = weighed(stage, opinion)
    if (stage, verdict) == (Stage.DONE, "fail"):
        assert (after, why) == (Stage.DONE_WITH_LEFTOVERS, "the judge says fail: so")
    else:
        assert (after, why) == (stage, "")
    assert weighed(stage, None) == (stage, "")
