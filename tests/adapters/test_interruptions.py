"""Who died and was started again is told for the time that is asked about, and never in the way."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from activities.adapters.children import Child
from activities.adapters.interruptions import FILE, between, note
from activities.adapters.report_words import interrupted
from tests.service import eventually, kill


def moment(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_a_child_that_is_killed_is_noted_and_one_that_is_stopped_is_not(tmp_path: Path):
    sleeping = ["/bin/sleep", "600"]
    child = Child(
        "worker", sleeping, log=tmp_path / "log", env={}, died=partial(note, tmp_path, "worker")
    )
    start = moment()
    await child.start()
    first = child.pid
    kill(first)

    async def is_another() -> bool:
        return child.pid not in (None, first)

    await eventually(is_another)
    await child.stop(5)
    assert between(tmp_path, start, moment()) == {"worker": 1}


def test_only_what_died_in_between_is_counted(tmp_path: Path):
    for who in ("worker", "server", "worker"):
        note(tmp_path, who)
    assert between(tmp_path, moment(-60), moment()) == {"worker": 2, "server": 1}
    assert between(tmp_path, moment(-60), moment(-30)) == {}
    assert between(tmp_path, moment(1), moment(60)) == {}


async def test_notes_that_several_write_at_once_are_all_whole(tmp_path: Path):
    notes = (asyncio.to_thread(note, tmp_path, f"worker {n % 7}") for n in range(70))
    await asyncio.gather(*notes)
    assert between(tmp_path, moment(-60), moment()) == {f"worker {n}": 10 for n in range(7)}


def test_a_note_that_cannot_be_written_or_read_is_not_told_and_stops_nobody(tmp_path: Path):
    note(tmp_path / "gone", "worker")
    assert between(tmp_path / "gone", moment(-60), moment()) == {}
    note(tmp_path, "worker")
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at": "2026-01-\n[]\n')
    assert between(tmp_path, moment(-60), moment()) == {"worker": 1}


def test_how_often_reads_as_people_say_it():
    assert interrupted({"worker": 3, "server": 1}) == (
        "server once, worker 3 times; each was started again and the work went on"
    )
