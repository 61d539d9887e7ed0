"""The HTML report of a fleet: every repository, what is not done first, and it stays small."""

from pathlib import Path

from report_pages import Page, a_large_report, a_story, landing

from activities.adapters.html_fleet import Told, render_fleet_html, told
from activities.adapters.html_page import MAX_BYTES
from activities.contracts.commands import HumanDecision
from activities.contracts.fleet import FleetResult, FleetRow
from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport

HOSTILE = "<script>alert('x')</script>\"&'--><!--]]>\u202e\x1b[31m"
TIP = "a" * 40


def a_row(name: str, state: str = "done", **fields: object) -> FleetRow:
    told = {"name": f"better/{name}", "state": state, "tip": TIP, "branch": "whimbrel/b", **fields}
    return FleetRow.model_validate(told)


def a_fleet(*rows: FleetRow, stage: Stage = Stage.DONE, **fields: object) -> FleetResult:
    told = {
        "name": "better",
        "objective": "Nothing is old.",
        "stage": stage,
        "rows": rows,
        "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T01:00:00+00:00",
        **fields,
    }
    return FleetResult.model_validate(told)


def a_done_report(**fields: object) -> MigrationReport:
    clean = {"outcome": Stage.DONE, "handoffs": a_story().handoffs[:1], "unplaced": ()}
    return a_story(**{**clean, "sites_left": 0, "landings": (landing(5, 1),), **fields})


def page_of(fleet: FleetResult, rows: list[Told]) -> Page:
    return Page(render_fleet_html(fleet, rows))


def test_a_page_says_what_is_not_done_first_and_then_every_repository() -> None:
    bad = a_row("two", "done with leftovers", landed=2, sites_left=2)
    gone = a_row("three", "not started", tip=None, reason="three ended badly before it")
    fleet = a_fleet(
        a_row("one", landed=1),
        bad,
        gone,
        stage=Stage.DONE_WITH_LEFTOVERS,
        decisions=[
            HumanDecision(id="1", verb="approve", actor="ann@host", at="2026-01-01T00:01:00+00:00")
        ],
    )
    reports = [a_done_report(), a_story(), None]
    page = page_of(fleet, [told(r, report) for r, report in zip(fleet.rows, reports, strict=True)])
    assert page.within("h2") == [
        *("Not done", "Progress", "Repositories", "What people decided", "How to look at it")
    ]
    undone = page.text[page.text.index("Not done Repository") : page.text.index("Progress Files")]
    assert "better/one" not in undone
    assert "src/b.py unit: newly failing: tests.test_b::test_x" in undone
    assert "better/three three ended badly before it not started" in undone
    assert "Repositories done 1 of 3" in page.text
    assert "better/two done with leftovers 2 of " in page.text
    assert "ann@host approve all" in page.text


def test_landings_of_all_repositories_are_one_curve_in_the_order_of_time() -> None:
    early, late = (
        a_done_report(landings=(landing(1, 1),)),
        a_done_report(landings=(landing(50, 1),)),
    )
    rows = [told(a_row("one"), late), told(a_row("two"), early)]
    page = page_of(a_fleet(*(a_row(name) for name in ("one", "two"))), rows)
    assert "6 file changes landed in 2 commits; half of them by 1 minutes after" in page.text
    assert page.text == page_of(a_fleet(a_row("one"), a_row("two")), rows).text
    assert [tag for tag, _ in page.elements].count("circle") == 2
    assert "Nothing: every repository is done." in page.text


def test_a_page_needs_nothing_but_itself_and_escapes_what_repositories_say() -> None:
    row = a_row("one", "failed", reason=HOSTILE)
    html = render_fleet_html(
        a_fleet(row, stage=Stage.FAILED, objective=HOSTILE, reason=HOSTILE), [told(row, a_story())]
    )
    page = Page(html)
    assert html.count("<script>") == 1
    assert "alert('x')" in page.text
    assert "\u202e" not in html
    assert "\x1b" not in html
    for attribute in ("src", "href", "action"):
        assert all(value.startswith("#") for _, value in page.having(attribute))


def test_two_hundred_repositories_stay_below_a_megabyte(tmp_path: Path) -> None:
    large = a_large_report(500)
    rows = [a_row(f"repository-{n}", "done with leftovers", reason="x" * 900) for n in range(200)]
    html = render_fleet_html(a_fleet(*rows), [told(row, large) for row in rows])
    assert len(html.encode()) < MAX_BYTES
    assert "better/repository-199" in Page(html).text
