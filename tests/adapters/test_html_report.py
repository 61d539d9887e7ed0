"""The HTML report needs nothing but itself, says first what was not done, and stays small."""

import base64
import hashlib
import re

import pytest
from report_pages import (
    Page,
    a_base_merge,
    a_check,
    a_large_report,
    a_red,
    a_story,
    an_attempt,
    landed,
    landing,
)
from test_reporting import BASE, TIP, a_report

from activities.adapters.html_page import MAX_BYTES
from activities.adapters.html_report import render_html
from activities.adapters.html_text import line, output
from activities.adapters.reporting import render_report
from activities.contracts.agent import AgentEnd
from activities.contracts.agent_word import AgentWord, Measured
from activities.contracts.commands import HumanDecision
from activities.contracts.contention import HotFile
from activities.contracts.evidence import CheckOutcome
from activities.contracts.file_requests import Grant
from activities.contracts.migration import Stage
from activities.contracts.news import DeepNews
from activities.contracts.opinion import Opinion
from activities.contracts.pilot import Pilot
from activities.contracts.report import KeptWork, MigrationReport
from activities.contracts.work import (
    CommandRun,
    Handoff,
    PutBack,
    RungOutcome,
    TaskStatus,
)

PILOT = Pilot(phase="bulk", cycle=1, tasks=3, landed=2, rest=40, undone=("c1-0002 src/b.py: red",))
HOSTILE = "<script>alert('x')</script>\"&'`--><!--]]>\u202e\x1b[31m\x00é"


def test_what_was_not_done_comes_first_with_the_failing_test_and_its_output() -> None:
    page = Page(render_html(a_story()))
    assert page.within("h2") == [
        "Not done",
        "Changed by a codemod, not landed",
        "Progress",
        "Tasks",
        "Red before the migration",
        "The base moved",
        "What people decided",
        "Environment",
    ]
    before = page.text[: page.text.index("Changed by a codemod")]
    assert "Done with leftovers: what is left needs a person." in before
    assert "src/b.py unit: newly failing: tests.test_b::test_x" in before
    assert "AssertionError: 1 != 2" in before
    assert "suite::setup" in before
    assert "Not verified: check 'lint' failed on the base already" in before


def test_a_task_is_shown_with_all_that_became_of_it() -> None:
    page = Page(render_html(a_story()))
    row = page.text[page.text.index("Landed in c1-0001") : page.text.index("c1-0002 src/part2")]
    assert row.split("Landed in ")[1] == (
        "c1-0001 src/part1 (3 files) Attempts and files codemod: changed "
        "unit: green, 546 results in 3 s src/part1/module_0.py src/part1/module_1.py "
        "src/part1/module_2.py landed codemod 1 0 1 min 1 s 3 000000000000 "
    )
    for told in ("README", "stray.txt", "tests.test_old::test_z", "tests.test_clock::test_now"):
        assert told in page.within("code")
    assert "2026-01-01 00:00 UTC ann@host approve all looks right" in page.text
    assert "Base " + BASE in page.text
    assert "Tip " + TIP in page.text


def test_the_rung_of_a_task_is_the_one_that_left_something() -> None:
    unavailable = an_attempt(2, kind="claude", outcome=RungOutcome.UNAVAILABLE)
    both = landed(1).model_copy(update={"attempts": (*landed(1).attempts, unavailable)})
    assert "landed codemod 2" in Page(render_html(a_report(both))).text


def test_a_check_that_a_worker_could_not_run_is_called_one_that_verified_nothing() -> None:
    blind = landed(1).model_copy(
        update={"attempts": (an_attempt(1, a_check(CheckOutcome.NOT_VERIFIED)),)}
    )
    text = Page(render_html(a_report(blind))).text
    assert "Not verified: check 'unit' could not be run for 1 attempt" in text
    marked = render_html(a_report(landed(1), outcome=Stage.DONE, blind_checks=("unit",)))
    assert '<p class="outcome bad"><strong>Not verified:</strong> check &#39;unit&#39; ' in marked


def test_what_died_meanwhile_is_told() -> None:
    told = Page(render_html(a_report(landed(1), interruptions={"worker": 2}))).text
    assert "Interrupted worker twice; each was started again and the work went on" in told
    assert "Interrupted" not in Page(render_html(a_report(landed(1)))).text


def test_a_migration_that_left_nothing_says_so() -> None:
    done = Page(render_html(a_report(landed(1), outcome=Stage.DONE)))
    assert "Nothing: every task landed whole." in done.text
    nothing = Page(render_html(a_report(outcome=Stage.DONE)))
    assert "no site was found, so there was no task" in nothing.text
    assert "script" not in {tag for tag, _ in nothing.elements}
    stopped = a_report(landed(1), outcome=Stage.STOPPED, reason="unit: failing: a; lint: failing")
    assert {"unit: failing: a", "lint: failing"} <= set(Page(render_html(stopped)).within("span"))


def everywhere(text: str) -> MigrationReport:
    """The story with `text` in every place that a repository or a person fills."""
    check = a_check(CheckOutcome.RED, text, tail=text).model_copy(update={"check": text})
    run = CommandRun(exit=1, seconds=1, tail=text)
    attempt = an_attempt(1, check, run=run, outcome=RungOutcome.FAILED, kind=text, note=text)
    stuck = Handoff(
        task="c1-0009",
        title=text,
        status=TaskStatus.PARTIAL,
        files=(text,),
        left=(text + "2",),
        put_back=(PutBack(path=text, reason=text),),
        granted=(Grant(path=text, reason=text),),
        follow_ups=(text,),
        concerns=(text,),
        attempts=(attempt,),
        agent=AgentWord(
            end=AgentEnd.STUCK,
            measured=(Measured(what=text, command=text, claimed=1),),
            concerns=(text,),
            follow_ups=(text,),
            reported=(text,),
        ),
    )
    thought = Opinion(
        phase=text,
        cycle=1,
        verdict="fail",
        summary=text,
        reasons=(text,),
        confirmed=(text,),
        unconfirmed=(text,),
    )
    decided = HumanDecision(
        id="1", verb=text, actor=text, reason=text, at=text, target=text, said=text
    )
    kept = KeptWork(task="c1-0001", ref=text, commit="1" * 40, files=1)
    return a_report(
        stuck,
        name=text,
        objective=text,
        reason=text,
        repository=text,
        branch=text,
        started_at=text,
        landings=(landing(1, 9),),
        baseline_failures={text: (text,)},
        flaky={text: (text,)},
        deep=DeepNews(reds=(a_red().model_copy(update={"check": text, "reasons": (text,)}),)),
        flaky_landings={text: 2},
        hot=(HotFile(path=text, conflicts=1),),
        base_merges=(a_base_merge(text),),
        base_told=text,
        blind_checks=(text,),
        decisions=(decided,),
        kept=(kept,),
        sandbox=text,
        unplaced=(text,),
        outside=(text,),
        dropped=(text,),
        opinions=(thought,),
        notes=text,
    )


def test_hostile_text_is_only_text_and_all_of_it_can_be_seen() -> None:
    plain, hostile = (Page(render_html(everywhere(text))) for text in ("plain", HOSTILE))
    shape = [(tag, sorted(given)) for tag, given in plain.elements]
    assert [(tag, sorted(given)) for tag, given in hostile.elements] == shape
    assert hostile.text.count("<script>alert('x')</script>") > 20
    assert "\\u202e" in hostile.text
    assert not set("\u202e\x1b\x00") & set(hostile.text)
    assert output("\x1b[31mred\x1b[0m\n\x1b]0;title\x07", 100) == "red\n\\x1b]0;title\\x07"
    assert line("a\nb  c" + "x" * 99, 6) == "a b c…"


def test_the_page_needs_no_network_and_its_policy_allows_none() -> None:
    html = render_html(a_story())
    page = Page(html)
    for attribute in ("src", "srcset", "action", "data", "poster", "style", "onclick"):
        assert not list(page.having(attribute))
    assert all(value.startswith("#") for _, value in page.having("href"))
    assert not re.search(r"url\(|@import|https?:", html)
    [policy] = [given["content"] for _, given in page.elements if "http-equiv" in given]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        [content] = [text for inside, text in page.texts if inside == tag]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_can_be_used_with_a_keyboard_and_heard() -> None:
    html = render_html(a_story())
    page = Page(html)
    ids = [value for _, value in page.having("id")]
    assert len(ids) == len(set(ids))
    for attribute in ("href", "aria-labelledby", "for"):
        for _, value in page.having(attribute):
            assert set(value.replace("#", "").split()) <= set(ids)
    assert ("html", {"lang": "en"}) in page.elements
    assert [tag for tag, _ in page.elements if tag == "h1"] == ["h1"]
    assert all(given.get("scope") for tag, given in page.elements if tag == "th")
    scrolled = [given for _, given in page.elements if given.get("class") == "wide"]
    assert scrolled
    assert all(given["tabindex"] == "0" and given["role"] == "region" for given in scrolled)


@pytest.mark.parametrize(
    "name",
    ["long", "'\"&<>" * 12, "\u202e" * 60, "語" * 60],
    ids=["plain", "escaped", "unseen", "wide"],
)
def test_five_hundred_tasks_with_long_outputs_stay_below_a_megabyte(name: str) -> None:
    html = render_html(a_large_report(name=name))
    assert len(html.encode()) < MAX_BYTES
    page = Page(html)
    assert "c1-0499" in page.within("code")
    assert "more, which are in the JSON report" in page.text


def test_ever_more_tasks_do_not_make_the_page_larger() -> None:
    html = render_html(a_large_report(tasks=1200, files=2, name="\u202e\"'" * 30))
    assert len(html.encode()) < MAX_BYTES
    assert "more rows are in the JSON report." in html


def test_the_repositorys_credentials_are_not_on_the_page() -> None:
    html = render_html(a_report(repository="https://ann:hunter2@git.example.com/app.git"))
    assert "hunter2" not in html
    assert "***@git.example.com" in html


@pytest.mark.parametrize(
    ("pilot", "followed"),
    [
        ({"asked": True, "decision": "1"}, "approved by ann@host: looks right"),
        ({"asked": True}, "nobody decided before the migration ended"),
        ({}, "nobody had to be asked: a task of it landed, so the rest began"),
        ({"landed": 0}, "nobody had to be asked: no task of it landed, so the rest did not begin"),
        ({"asked": True, "decision": "gone"}, "longer ago than decisions are kept"),
    ],
)
def test_what_a_pilot_taught_stands_with_what_followed(
    pilot: dict[str, object], followed: str
) -> None:
    report = a_story(pilots=(PILOT.model_copy(update=pilot),))
    page = Page(render_html(report))
    section = page.text[page.text.index("What the pilot taught") : page.text.index("What people")]
    assert "Phase bulk" in section
    assert "The rest 40 tasks in" in section
    assert "Not done c1-0002 src/b.py: red" in section
    assert followed in section
    assert followed in render_report(report)
    assert ("a", "#pilot") in page.having("href")


def test_what_judges_agents_and_planners_said_is_on_the_page_and_in_the_text() -> None:
    report = everywhere("plain words")
    page = Page(render_html(report))
    for told in (page.text, render_report(report)):
        for words in (
            "What the judge said",
            "fail: plain words",
            "What agents said",
            "its agent ended by: stuck",
            "NOT MEASURED: plain words: 1 claimed",
            "Field notes",
        ):
            assert words in told
    for anchor in ("#judge", "#agents", "#notes"):
        assert ("a", anchor) in page.having("href")
