"""Every recorded history has its fingerprint: what its run commanded, for a person to read."""

from pathlib import Path

import pytest
from fingerprint import FINGERPRINTS, commands, kept

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
CHANGED = """
The recorded run commands something else than its fingerprint says. What was released keeps both; an
edit of a workflow that changes its commands is guarded:
    if workflow.patched("why-in-kebab-case"):
        ...new commands...
    else:
        ...the old ones...
`make record` writes both anew, for shapes that were never released.
"""


@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
def test_a_recorded_run_commands_what_its_fingerprint_says(path):
    assert kept(path).exists(), f"no fingerprint of {path.name}{CHANGED}"
    assert commands(path) == kept(path).read_text().splitlines(), CHANGED


def test_no_fingerprint_is_left_of_a_history_that_is_gone():
    assert {path.stem for path in FINGERPRINTS.glob("*.txt")} == {path.stem for path in HISTORIES}
