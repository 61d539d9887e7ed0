"""The ledger says of each path what is left and whose it is; as CSV, any name arrives as it is."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.ledger_table import ledger_csv
from activities.contracts.ledger import LedgerRow, ledger
from activities.contracts.plan import Plan
from activities.contracts.survey import Site, SurveyData, SurveyedFile

COMMIT = "1" * 40


def survey(*sites: Site, accepted: tuple[Site, ...] = ()) -> SurveyData:
    files = tuple(
        SurveyedFile(path=path, size=1, blob="b", owners=("@team",))
        for path in sorted({site.path for site in sites})
    )
    return SurveyData(commit=COMMIT, phase="main", files=files, sites=sites, accepted=accepted)


def plan(**claims: tuple[str, ...]) -> Plan:
    tasks = [{"id": task, "title": task, "claims": paths} for task, paths in claims.items()]
    more = {"spec_digest": "", "base": COMMIT, "phase": "main", "cycle": 1}
    return Plan.model_validate({"migration": "m", "tasks": tasks, **more})


def test_each_path_has_what_is_left_and_whose_it_is() -> None:
    found = survey(
        Site(path="a.py", line=3),
        Site(path="a.py", line=9),
        Site(path="new.py"),
        accepted=(Site(path="a.py", line=12), Site(path="legacy.py", line=1)),
    )
    tasks = plan(t1=("a.py", "b.py"), t2=("c.py",))
    rows = {row.path: row for row in ledger(found, tasks, {"t1": "running"})}
    assert rows == {
        "a.py": LedgerRow(path="a.py", sites=2, accepted=1, task="t1", state="running",
                          lines=(3, 9), owners=("@team",)),
        "b.py": LedgerRow(path="b.py", task="t1", state="running"),
        "c.py": LedgerRow(path="c.py", task="t2", state="waiting"),
        "legacy.py": LedgerRow(path="legacy.py", accepted=1, state="accepted"),
        "new.py": LedgerRow(path="new.py", sites=1, owners=("@team",)),
    }  # fmt: skip


def test_what_an_earlier_cycle_left_is_still_that_tasks() -> None:
    found = survey(Site(path="stuck.py"), Site(path="again.py"))
    tasks, states = plan(c2=("again.py",)), {"c1": "needs_person", "c2": "needs_person"}
    left = {"stuck.py": "c1", "again.py": "c1", "mended.py": "c1"}
    rows = {row.path: (row.task, row.state) for row in ledger(found, tasks, states, left)}
    assert rows == {"stuck.py": ("c1", "needs_person"), "again.py": ("c2", "needs_person")}


def test_before_there_is_a_plan_everything_is_open() -> None:
    assert [row.state for row in ledger(survey(Site(path="a"), Site(path="b")))] == ["open"] * 2


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), max_size=5))
def test_any_name_arrives_as_it_is(names: list[str]) -> None:
    paths = [*names, "with\nnewline", 'with "quotes", commas', " =1+1"]
    rows = [LedgerRow(path=path, sites=1, lines=(1, 2)) for path in paths]
    read = list(csv.DictReader(io.StringIO(ledger_csv(rows), newline="")))
    assert [row["path"] for row in read] == paths
    assert {row["lines"] for row in read} == {"1 2"}
