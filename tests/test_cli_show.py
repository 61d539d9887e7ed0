"""`show` on a task of a running migration: what its row knows and what its handoff says."""

from types import SimpleNamespace
from typing import Any, cast

from builders import a_row

from activities.contracts.base import BlobRef
from activities.contracts.work import Handoff, TaskStatus
from cli.tasks import under_way


async def test_a_task_that_has_ended_keeps_its_title_and_its_sites() -> None:
    handoff = Handoff(task="c1-0001", status=TaskStatus.LANDED, did="changed 2 files")

    async def read(*_: object) -> Handoff:
        return handoff

    kept = BlobRef(migration="app", sha256="0" * 64, size=1)
    row = a_row("c1-0001", "a.py", "b.py", state="landed").model_copy(update={"handoff": kept})
    shown = await under_way(cast(Any, SimpleNamespace(read=read)), row)
    assert (shown["title"], shown["sites"], shown["did"]) == ("c1-0001", 2, "changed 2 files")
