"""Every kind of API weather at random: what a function of the request says, seldom as it should."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from tests.fakes.messages_api import Answer, Answering, Request
from tests.fakes.replies import (
    Reply,
    broke,
    call,
    cut_after,
    overloaded,
    rate_limited,
)

WEATHER = {
    "fair": 60,
    "slow": 8,
    "malformed": 6,
    "limited": 5,
    "overloaded": 4,
    "broken": 5,
    "cut": 5,
    "reset": 3,
    "error in the stream": 3,
    "hang-up": 1,
}
"""Kind → how often, of a hundred."""
BREEZE = {"fair": 80, "malformed": 10, "cut": 6, "reset": 4}
"""What closes nobody's gate: it costs a second here and there."""


def storm(
    answer: Answering, seed: int, seen: Counter[str], kinds: Mapping[str, int] = WEATHER
) -> Answering:
    """`answer` in bad weather of these kinds; `seen` counts those that came."""
    chance = random.Random(seed)

    def stormy(request: Request) -> Answer:
        (kind,) = chance.choices(list(kinds), weights=list(kinds.values()))
        seen[kind] += 1
        fair = answer(request)
        assert isinstance(fair, Reply)
        return _in(kind, fair, chance)

    return stormy


def _in(kind: str, fair: Reply, chance: random.Random) -> Answer:
    events = chance.randrange(1, 6)
    answers: dict[str, Answer] = {
        "fair": fair,
        "slow": replace(fair, silent=chance.uniform(0.2, 2), slow=0.02),
        "malformed": replace(
            fair, blocks=(*fair.blocks, call("edit", path="a.py", old="x")), broken=True
        ),
        "limited": rate_limited(chance.choice((1, 1, 2, None))),
        "overloaded": overloaded(),
        "broken": broke(chance.choice((500, 502, 503, 504))),
        "cut": cut_after(fair, events),
        "reset": cut_after(fair, events, reset=True),
        "error in the stream": replace(
            fair, error=chance.choice(("overloaded_error", "api_error"))
        ),
        "hang-up": replace(broke(), hangs_up=True),
    }
    return answers[kind]
