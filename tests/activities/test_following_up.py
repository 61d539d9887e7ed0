"""What tasks left to others becomes a task of the next cycle, or stays for people."""

from typing import Any

import pytest
from builders import COMMIT, a_plan, a_spec, a_task

from activities.contracts.agent import AgentEnd
from activities.contracts.agent_word import AgentWord
from activities.contracts.survey import FollowUp, SurveyData, SurveyedFile
from activities.contracts.work import Handoff, TaskStatus
from activities.following_up import MOST_FILES, MOST_SAID, follow_ups, with_follow_ups

SCOPE = ("api.py", "docs/old name.md", "kept.py", "site.py", "web/x.py")
TOLD: list[dict[str, Any]] = [{"claude": {}}]


def a_handoff(task: str = "c1-0001", *asked: str, **fields: object) -> Handoff:
    known = {"task": task, "status": TaskStatus.LANDED, "follow_ups": asked, **fields}
    return Handoff.model_validate(known)


def survey(*follow: FollowUp) -> SurveyData:
    bearing = (SurveyedFile(path="site.py", size=1, blob="0", sites=1),)
    return SurveyData(commit=COMMIT, phase="main", files=bearing, sites=(), follow_ups=follow)


def followed(*handoffs: Handoff, **fields: Any) -> dict[str, tuple[str, ...]]:
    known: dict[str, Any] = {"ladder": TOLD, "protect": ["/kept.py"], **fields}
    spec = a_spec("x", **known)
    found = follow_ups(handoffs, spec, survey(), frozenset(SCOPE))
    return {entry.path: entry.said for entry in found}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("api.py: c1-0002 of area api claims it", "api.py"),
        ("docs/old name.md: it names the old one", "docs/old name.md"),
        ("web/x.py:12: the caller", "web/x.py"),
        ("The callers in `./web/x.py` pass it by name.", "web/x.py"),
        ("look at web/x.py:3:7.", "web/x.py"),
        ("everything else should be renamed too", ""),
        ("gone.py: it is not in the tree", ""),
        ("kept.py: it is protected", ""),
        ("site.py: it has sites, so it has a task", ""),
        ("myapi.py: another file", ""),
    ],
)
def test_it_is_of_the_first_file_that_it_names_and_that_may_be_changed(
    text: str, path: str
) -> None:
    assert followed(a_handoff("c1-0001", text)) == ({path: (f"c1-0001: {text}",)} if path else {})


def test_without_a_rung_that_reads_it_it_stays_for_people() -> None:
    assert followed(a_handoff("c1-0001", "api.py: why"), ladder=["codemod"]) == {}


def test_a_file_is_followed_up_once_whatever_came_of_it() -> None:
    asked = a_handoff("c1-0001", "api.py: why")
    tried = a_handoff("c2-more-0001", "api.py: still", status="cannot", follows=["api.py"])
    assert followed(asked, tried) == {}


def test_a_remark_is_settled_by_who_changes_the_file_afterwards_and_a_request_is_not() -> None:
    word = AgentWord(end=AgentEnd.DONE, follow_ups=("api.py: rename",), reported=("web/x.py:1: y",))
    said = a_handoff("c1-0001", agent=word)
    asked = a_handoff("c1-0001", "api.py: I need it")
    later = a_handoff("c1-0002", files=["api.py"])
    assert followed(said).keys() == {"api.py", "web/x.py"}
    assert followed(said, later).keys() == {"web/x.py"}
    assert followed(asked, later).keys() == {"api.py"}


def test_what_is_said_and_how_much_is_followed_up_is_bounded() -> None:
    many = [a_handoff(f"c1-{n:04}", f"api.py: reason {n}") for n in range(9)]
    assert len(followed(*many)["api.py"]) == MOST_SAID
    paths = [f"{n:03}.py" for n in range(50)]
    spec = a_spec("x", ladder=[{"claude": {}}])
    asked = [a_handoff("c1-0001", *(f"{path}: why" for path in paths))]
    found = follow_ups(asked, spec, survey(), frozenset(paths))
    assert [entry.path for entry in found] == paths[:MOST_FILES]


def test_its_task_goes_last_claims_that_file_and_is_told_what_was_said() -> None:
    entries = (
        FollowUp(path="api.py", said=("c1-0001: x",)),
        FollowUp(path="web/x.py", said=("y",)),
    )
    plan = with_follow_ups(a_plan("x", COMMIT, a_task("c2-0001", "web/x.py")), survey(*entries))
    first, more = plan.tasks
    assert first.id == "c2-0001"
    assert (more.id, more.claims, more.sites, more.follows) == (
        "c1-more-0001",
        ("api.py",),
        0,
        True,
    )
    assert "c1-0001: x" in more.instructions
