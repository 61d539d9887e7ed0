"""The two quickest migrations of the corpus, at the same time on one embedded server; `make corpus`
and `make corpus-scale` have the others. Needs the package registries.
"""

import asyncio
import os
from pathlib import Path

import pytest

from activities.adapters.releases import ClientMissing
from cli.session import session
from tests.corpus.running import Ran, run
from tests.corpus.table import CORPUS, QUICK
from tests.service import environment
from tests.traces import processes_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory that the starter finds, and no Temporal of somebody else."""
    wanted = environment(tmp_path)
    for name in os.environ.keys() - wanted.keys():
        monkeypatch.delenv(name)
    for name in wanted.keys() - os.environ.keys():
        monkeypatch.setenv(name, wanted[name])
    return tmp_path


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_real_migrations_come_to_what_the_corpus_says(home: Path) -> None:
    async with session(local=True) as connected:
        runs = [run(connected, name, CORPUS[name], quiet=True) for name in QUICK]
        ends = await asyncio.gather(*runs, return_exceptions=True)
    ran = [end for end in ends if isinstance(end, Ran)]
    assert {each.name: each.deviations for each in ran} == {each.name: [] for each in ran}
    assert processes_of(home) == []
    missing = [end for end in ends if isinstance(end, ClientMissing)]
    assert len(ran) + len(missing) == len(QUICK), ends
    if missing:
        pytest.skip(str(missing[0]))
