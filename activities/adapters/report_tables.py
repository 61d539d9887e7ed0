"""Tables and lists of a Markdown report, and those sections that are nothing else."""

from collections.abc import Mapping, Sequence

from activities.adapters.markdown_text import code, text
from activities.adapters.report_words import count, what_followed
from activities.contracts.commands import HumanDecision
from activities.contracts.contention import HotFile
from activities.contracts.money import Spend, usd_text
from activities.contracts.opinion import Opinion
from activities.contracts.pilot import pilot_lines
from activities.contracts.report import KeptWork, MigrationReport
from activities.contracts.wording import times
from activities.contracts.work import Handoff

MAX_ROWS = 500
"""Rows of any one table; the JSON has all."""
MAX_PATHS = 20
"""Paths in one cell."""
MAX_IDS = 50
"""Lines of any one list."""


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        lines += ["", f"{len(rows) - MAX_ROWS} more are in the JSON report."]
    return "\n".join(lines)


def beyond_claims(handoffs: Sequence[Handoff]) -> list[str]:
    """`task: path: why` of what tasks were granted beyond their claims, and were refused."""
    granted = [f"{h.task}: {g.path}: granted: {g.reason}" for h in handoffs for g in h.granted]
    refused = [f"{h.task}: {said}" for h in handoffs for said in h.follow_ups]
    return [*granted, *refused]


def beyond_section(handoffs: Sequence[Handoff]) -> str:
    """The same as a section; a refused one may be somebody's next step."""
    lines = beyond_claims(handoffs)
    return "\n".join(["## Files beyond a task's claims", "", *bullets(lines)]) if lines else ""


def hot_section(files: Sequence[HotFile]) -> str:
    """Where tasks were in each other's way."""
    if not files:
        return ""
    return "\n".join(["## Files that tasks contended for", "", *bullets([f.told for f in files])])


def agents_words(handoffs: Sequence[Handoff]) -> list[str]:
    """What agents left for people, and which of their claims do not hold."""
    words = ((h.task, line) for h in handoffs if h.agent for line in h.agent.lines)
    return [f"{task}: {line}" for task, line in words]


def agents_section(handoffs: Sequence[Handoff]) -> str:
    lines = agents_words(handoffs)
    return "\n".join(["## What agents said", "", *bullets(lines)]) if lines else ""


def by_area(handoffs: Sequence[Handoff]) -> dict[str, Spend]:
    """What the tasks of each area cost, in all cycles."""
    spent: dict[str, Spend] = {}
    for handoff in sorted(handoffs, key=lambda handoff: handoff.area):
        if handoff.spend.total:
            spent[handoff.area] = spent.get(handoff.area, Spend()) + handoff.spend
    return spent


def models(report: MigrationReport) -> list[str]:
    """What they cost, by whose prices, and what they were told."""
    lines: list[str] = []
    if cost := report.spend.told(report.cap, report.landed_files):
        lines.append(f"- Models: {cost}")
    if len(areas := by_area(report.handoffs)) > 1:
        told = (f"{text(area)} {usd_text(spend.total)}" for area, spend in areas.items())
        lines.append(f"- Models by area, in USD: {', '.join(told)}")
    if report.prices:
        lines.append(f"- Prices: {text('; '.join(report.prices))}")
    if report.prompts:
        lines.append(f"- Prompts: {', '.join(f'{n} {d[:12]}' for n, d in report.prompts.items())}")
    return lines


def opinions(said: Sequence[Opinion]) -> str:
    """What judges said of the cycles."""
    parts: list[str] = []
    for opinion in said:
        lines = [f"{label}: {text(words)}" for label, words in opinion.rows]
        title = f"Phase {text(opinion.phase)}, cycle {opinion.cycle}:"
        parts += ["", title, "", *(f"- {line}" for line in lines)]
    return "\n".join(["## What the judge said", *parts]) if parts else ""


def field_notes(notes: str) -> str:
    """What planners wrote down for later workers."""
    if not notes:
        return ""
    lines = [f"> {text(line)}".rstrip() for line in notes.splitlines()]
    return "\n".join(["## Field notes", "", *lines])


def decisions(made: Sequence[HumanDecision]) -> str:
    """Who said what, of what, why, and what it meant."""
    if not made:
        return ""
    rows = [
        (d.at, text(d.actor), text(d.verb), text(d.target or "all"), text(d.reason), text(d.said))
        for d in made
    ]
    columns = ("When", "Who", "What", "Of", "Why", "That is")
    return "## What people decided\n\n" + table(columns, rows)


def kept_work(kept: Sequence[KeptWork]) -> str:
    """Where the work is that did not land."""
    if not kept:
        return ""
    rows = [(code(work.task), str(work.files), code(work.ref)) for work in kept]
    said = "Nothing of it is lost: `git fetch HUB REF` brings it into a repository of yours."
    title = "## Kept: the last work of tasks that did not land whole"
    return "\n\n".join([title, said, table(("Task", "Files", "Ref"), rows)])


def bullets(ids: Sequence[str]) -> list[str]:
    """At most MAX_IDS of them."""
    shown = [f"- {code(name)}" for name in ids[:MAX_IDS]]
    more = len(ids) - MAX_IDS
    return [*shown, f"- and {more} more, which are in the JSON report"] if more > 0 else shown


def by_check(title: str, results: dict[str, tuple[str, ...]]) -> str:
    """Ids by check, bounded: they are not this migration's to mend."""
    parts: list[str] = []
    for check, ids in sorted(results.items()):
        parts += ["", f"{code(check)}: {count(len(ids), 'result')}", "", *bullets(ids)]
    return "\n".join([f"## {title}", *parts]) if parts else ""


def moved_base(report: MigrationReport) -> str:
    """What of a base that moved is in the branch, and why what is not."""
    if not report.base_merges and not report.base_told:
        return ""
    parts = ["## The base moved"]
    parts += [f"**{text(report.base_told)}**"] if report.base_told else []
    parts += [f"{count(report.base_sites, 'site')} came with it."] if report.base_sites else []
    rows = [
        (m.at, code(m.commit[:12]), code(m.head[:12]), str(m.commits), listed(m.taken_anew))
        for m in report.base_merges
    ]
    columns = ("When", "Commit", "Head", "Commits", "Files taken anew")
    return "\n\n".join([*parts, *([table(columns, rows)] if rows else [])])


def pushed(report: MigrationReport) -> str:
    """What others pushed to the green branch, and what became of it."""
    if not report.pushes:
        return ""
    told = "\n".join(f"- {text(seen.told)}" for seen in report.pushes)
    return f"## Others pushed to the green branch\n\n{told}"


def listed(paths: Sequence[str]) -> str:
    """The first few, in one cell."""
    shown = ", ".join(code(path) for path in paths[:MAX_PATHS])
    more = len(paths) - MAX_PATHS
    return f"{shown} and {more} more" if more > 0 else shown


def flaky_landings(seen: Mapping[str, int]) -> str:
    """Checks that were red at a landing and then green, with how often."""
    if not seen:
        return ""
    return f"## Flaky: red at a landing, green when asked once more\n\n{text(times(seen))}"


def pilots_section(report: MigrationReport) -> str:
    """What each pilot taught while the others waited."""
    parts: list[str] = []
    for pilot in report.pilots:
        followed = f"decision    {what_followed(pilot, report.decisions)}"
        lines = [*pilot_lines(pilot), followed]
        parts += ["", f"Phase {text(pilot.phase)}:", "", *bullets(lines)]
    return "\n".join(["## What the pilot taught", *parts]) if parts else ""
