"""How hot files are, and what that means."""

import pytest
from builders import a_row, some_evidence

from activities.contracts.contention import FROZEN_AT, KEPT, HotFile, hottest
from activities.contracts.file_requests import FileRequest, FilesAsked
from activities.contracts.landing import Landing, Outcome
from workflows import contention, granting


def a_landing(outcome: Outcome, **more) -> Landing:
    return Landing(task="a", candidate="a@1", outcome=outcome, **more)


def test_a_file_is_as_hot_as_tasks_wait_for_it_that_nothing_else_keeps_back():
    rows = [
        a_row("a", "x.py", "y.py", state="running"),
        a_row("b", "x.py", "z.py"),
        a_row("c", grants=["x.py"]),
        a_row("d", "y.py", needs=("c",)),
        a_row("e", "x.py", state="landed"),
    ]
    assert contention.waits(rows) == [HotFile(path="x.py", waited=2)]


def test_bounces_are_counted_for_the_files_that_they_name():
    bounces = [
        a_landing(Outcome.CONFLICT, paths=("a.py",)),
        a_landing(Outcome.RED, evidence=some_evidence("red", files=("a.py", "other.py"))),
        a_landing(Outcome.RED, evidence=some_evidence("red")),
        a_landing(Outcome.VIOLATION, paths=("a.py",)),
    ]
    assert contention.of_bounces(bounces, ("a.py", "b.py")) == (
        HotFile(path="a.py", conflicts=1),
        HotFile(path="a.py", bounces=1),
    )


def test_bounces_add_up_waits_do_not_and_only_the_hottest_are_kept():
    seen = [
        HotFile(path="a", waited=3, conflicts=1),
        HotFile(path="b", waited=1),
        HotFile(path="a", waited=2, bounces=2),
    ]
    first, second = hottest(seen)
    assert first == HotFile(path="a", waited=3, conflicts=1, bounces=2)
    assert first.told == "a: 3 waited at once, 1 conflict, 2 bounces"
    assert second.told == "b: 1 waited at once"
    many = [HotFile(path=f"{n:03}", waited=n + 1) for n in range(2 * KEPT)]
    assert [file.waited for file in hottest(many)] == [*range(2 * KEPT, KEPT, -1)]


def test_a_file_for_which_too_much_was_bounced_is_granted_to_nobody_but_its_owner():
    hot = [HotFile(path="b.py", conflicts=FROZEN_AT - 1, bounces=1), HotFile(path="c.py", waited=9)]
    rows = [a_row("a", state="running"), a_row("b"), a_row("c")]
    requests = tuple(FileRequest(path=path, reason="r") for path in ("b.py", "c.py"))
    asked = FilesAsked(task="a", start=0, epoch="e", requests=requests)
    row, (frozen, free) = granting.answer(rows, asked, "e", hot)
    assert (frozen.granted, frozen.held_by, free.granted) == (False, "", True)
    assert frozen.text.endswith("b alone may change it")
    assert row
    assert [grant.path for grant in row.granted_files] == ["c.py"]
    mine = [a_row("b", state="running")]
    asked = asked.model_copy(update={"task": "b"})
    assert granting.answer(mine, asked, "e", hot)[1][0].granted, "its owner goes on"
    assert hot[0].told == "b.py: 4 conflicts, 1 bounce, frozen to its owner"


@pytest.mark.parametrize("end", ["skipped", "cancelled", "failed", "needs_person"])
def test_a_frozen_file_whose_owner_ended_without_landing_is_whose_who_asks_first(end):
    hot = [HotFile(path="b.py", conflicts=FROZEN_AT)]
    a, c = a_row("a", state="running"), a_row("c", state="running")
    asked = FilesAsked(
        task="a", start=0, epoch="e", requests=(FileRequest(path="b.py", reason="r"),)
    )
    row, (said,) = granting.answer([a, a_row("b", state=end), c], asked, "e", hot)
    assert said.granted
    assert row
    rows = [row.model_copy(update={"state": "landed"}), a_row("b", state=end), c]
    _, (said,) = granting.answer(rows, asked.model_copy(update={"task": "c"}), "e", hot)
    assert not said.granted
    assert said.text.endswith(": a alone may change it")


def test_a_frozen_file_of_an_owner_that_landed_stays_its():
    hot = [HotFile(path="b.py", conflicts=FROZEN_AT)]
    rows = [a_row("a", state="running"), a_row("b", state="landed")]
    requests = (FileRequest(path="b.py", reason="r"),)
    asked = FilesAsked(task="a", start=0, epoch="e", requests=requests)
    assert not granting.answer(rows, asked, "e", hot)[1][0].granted
