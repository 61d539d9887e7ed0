"""Payloads of every released shape must still decode: an old worker sent them.

`python tests/contracts/record_golden.py` adds what is missing; existing files are never rewritten.
"""

import json

import pytest
from pydantic import ValidationError
from record_golden import GOLDEN, contracts

PAYLOADS = sorted(GOLDEN.glob("*.json"))
CLASSES = {contract.__name__: contract for contract in contracts()}


def test_every_contract_has_a_golden_payload_and_every_payload_its_contract():
    assert {path.stem for path in PAYLOADS} == set(CLASSES)


def within(part, whole) -> bool:
    """Whether everything said in `part` is said in `whole`: shapes may only grow."""
    if isinstance(part, dict):
        return all(key in whole and within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return part == whole


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda p: p.stem)
def test_a_released_payload_is_read_whole(path):
    payload = json.loads(path.read_text())
    read = CLASSES[path.stem].model_validate(payload)
    assert within(payload, read.model_dump(mode="json", by_alias=True))


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda p: p.stem)
def test_a_field_of_a_newer_worker_is_ignored(path):
    payload = json.loads(path.read_text())
    assert CLASSES[path.stem].model_validate({**payload, "from_the_future": 1})


@pytest.mark.parametrize("name", ["Task", "Plan"])
def test_a_form_forbids_what_it_does_not_know(name):
    from activities.contracts import plan

    with pytest.raises(ValidationError, match="from_the_future"):
        getattr(plan, name).model_validate({"from_the_future": 1})
