"""What a plan says of money before anything is measured."""

import pytest
from builders import a_spec

from activities.outlay import at_most

BOTH, WHOLE, EACH = {"usd": 200.0, "task_usd": 5.0}, {"usd": 200.0}, {"task_usd": 5.0}


@pytest.mark.parametrize(
    ("ladder", "limits", "told"),
    [
        (["codemod"], BOTH, ""),
        (["codemod", "claude"], BOTH, "models may cost at most 200.00 USD, 5.00 a task"),
        (["claude"], WHOLE, "models may cost at most 200.00 USD"),
        (["claude"], EACH, "models may cost at most 5.00 USD a task"),
        (["claude"], {}, "what models may cost has no cap: `limits.usd` sets one"),
    ],
)
def test_where_a_model_may_be_asked_its_cap_is_told(ladder, limits, told):
    spec = a_spec("m", ladder, limits=limits)
    assert at_most(spec, spec.phases[0]) == told
