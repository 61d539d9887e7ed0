"""What an agent claimed, held against what its command printed."""

import pytest
from pydantic import ValidationError

from activities.contracts.agent import AgentEnd
from activities.contracts.agent_word import AgentWord, Measured
from activities.contracts.tools import Measurement


@pytest.mark.parametrize(
    ("claimed", "measured", "drifts"),
    [
        (100, 110, False),
        (100, 90, False),
        (100, 111, True),
        (0, 0, False),
        (0, 1, True),
        (-5, 5, True),
    ],
)
def test_a_claim_may_be_off_by_a_tenth(claimed, measured, drifts):
    one = Measured(what="files", command="ls", claimed=claimed, measured=measured)
    assert one.drifts is drifts
    assert one.told.startswith("DRIFT: ") is drifts


def test_a_claim_that_cannot_be_measured_does_not_hold():
    one = Measured(what="files", command="ls", claimed=3)
    assert one.drifts
    assert one.told == "NOT MEASURED: files: 3 claimed; no number from its command"


@pytest.mark.parametrize("command", ["", "printf 1\0", "x" * 4001])
def test_a_claim_that_no_shell_can_run_is_none(command):
    """It would be tried again for ever, and the task never end."""
    claim = {"what": "lines", "command": command, "value": 1}
    with pytest.raises(ValidationError, match="command"):
        Measurement.model_validate(claim)
    assert Measurement.model_validate({**claim, "command": "wc -l a\nwc -l b"})


def test_only_what_people_should_know_is_told():
    assert AgentWord(end=AgentEnd.DONE, verified="checks").lines == []
    died = AgentWord(end=AgentEnd.STUCK, concerns=("why?",))
    assert died.lines == ["its agent ended by: stuck", "concern: why?"]
    assert AgentWord(end=AgentEnd.DONE, verified="nothing").lines == [
        "verified by its agent: nothing"
    ]
