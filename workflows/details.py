"""What people read about a migration: progress, the page in the Web UI, its result. Pure."""

from collections.abc import Sequence

from temporalio.exceptions import ActivityError, ChildWorkflowError, FailureError

from activities.contracts import pushes
from activities.contracts.base import BlobRef
from activities.contracts.children import AreaSteering, TaskCounts
from activities.contracts.commands import Hold
from activities.contracts.contention import SHOWN, hottest
from activities.contracts.fleet import FleetProgress
from activities.contracts.migration import (
    MigrationInput,
    MigrationResult,
    MigrationState,
    Progress,
    Stage,
)
from activities.contracts.news import told_of_deep
from activities.contracts.pilot import pilot_lines
from activities.contracts.requests import MigrationOrder
from activities.contracts.survey import told_of_phases
from activities.contracts.wording import times
from workflows import area_caps, budget, moving_base


def progress(
    migration: MigrationInput,
    state: MigrationState,
    order: MigrationOrder | None,
    phase: str,
    report: BlobRef | None,
) -> Progress:
    """Where the migration stands, and what it waits for with the command that answers it."""
    waiting_for, command = _waiting(migration.name, state, order)
    return Progress(
        name=migration.name,
        objective=order.objective if order else "",
        stage=state.stage,
        phase=phase,
        later_phases=_later(state, order),
        cycle=state.cycle,
        counts=state.counts,
        sites_at_start=state.sites_at_start,
        sites_left=state.sites_left - state.counts.sites_gone,
        branch=order.branch if order else "",
        repository=migration.repository.id,
        base=state.base.commit if state.base else None,
        tip=state.seen or state.tip,
        waiting_for=waiting_for,
        command=command,
        plan=state.plan,
        report=report,
        decisions=state.decisions,
        holds=state.holds,
        guidance=state.guidance,
        limits=state.limits,
        survey=state.survey,
        unverified=state.unverified,
        unsearched=told_of_phases(state.unsearched),
        pilot=state.pilot,
        opinion=state.opinions[-1] if state.opinions else None,
        notes=state.notes,
        spend=state.spend + state.counts.spend,
        cap=budget.cap(state, order) if order else None,
        files=state.files_before + state.counts.files,
        stands_on=state.stands_on if state.base else None,
        base_merged=moving_base.merged(state.followed),
        base_told=moving_base.told(state.followed, state.stands_on if state.base else None),
        base_command=moving_base.command(migration.name, state.followed),
        push_told=state.push.told if state.push else "",
        push_command=pushes.command(migration.name, state.push),
        flaky=state.flaky,
        hot=hottest((*state.hot, *state.counts.hot), SHOWN),
        deep=state.deep,
    )


def result(
    state: MigrationState, order: MigrationOrder | None, report: BlobRef | None, reason: str
) -> MigrationResult:
    """How the migration ended."""
    verdict = state.verdict
    return MigrationResult(
        stage=state.stage,
        branch=order.branch if order else "",
        tip=state.tip,
        landed=state.landed_before + state.counts.landed,
        leftovers=len(verdict.leftover_files) if verdict else 0,
        sites_left=state.sites_left,
        plan=state.plan,
        report=report,
        reason=reason,
        unbegun=_later(state, order),
        unverified=state.unverified,
        unsearched=told_of_phases(state.unsearched),
        spend=state.spend + state.counts.spend,
    )


def why(result: MigrationResult) -> str:
    """Why it ended as it did, or what makes its end worth less than it looks; often nothing."""
    doubt = f"NOT VERIFIED: {blind(result.unverified)}" if result.unverified else ""
    return "; ".join(part for part in (doubt, result.reason) if part)


def blind(checks: Sequence[str]) -> str:
    """Why these checks tell nothing, and which they are."""
    return f"red as a whole on the base already: {', '.join(checks)}"


def _later(state: MigrationState, order: MigrationOrder | None) -> tuple[str, ...]:
    return order.phases[state.phase + 1 :] if order else ()


def _waiting(name: str, state: MigrationState, order: MigrationOrder | None) -> tuple[str, str]:
    if state.stage is Stage.APPROVAL and state.pilot:
        told = f"{state.pilot.landed} of {state.pilot.tasks} tasks of the pilot landed: the rest"
        return f"{told} waits for a person's approval", f"starter.py approve {name}"
    if state.stage is Stage.APPROVAL:
        return "the plan waits for a person's approval", f"starter.py approve {name}"
    if state.push and state.push.needs_person:
        return state.push.told, pushes.command(name, state.push)
    if state.stage is Stage.JUDGE and state.followed.undecided:
        return (
            moving_base.told(state.followed, state.stands_on),
            moving_base.command(name, state.followed),
        )
    if state.paused:
        return why_paused(state.holds), f"starter.py resume {name}"
    area = next((h for h in state.holds if h.target.startswith("area ")), None)
    if area and not state.cancelled:
        return why_paused([area]), f"starter.py resume {name} --{area.target.replace(' ', '=')}"
    broke = budget.reached(state, order) if order and not state.cancelled else ""
    if order and broke:
        more = 2 * (budget.cap(state, order) or 0)
        return broke, f"starter.py limits {name} --usd {more:.2f}"
    if order and not state.cancelled and (poor := area_caps.broke(state.counts)):
        more = area_caps.raised(poor, state, order)
        return (
            f"area {poor.told}, and nothing else is left to do",
            f"starter.py limits {name} --area {poor.area} --usd {more:.2f}",
        )
    return "", ""


def why_paused(holds: Sequence[Hold]) -> str:
    """Who paused all of it (or the area that is the only one here), since when, and why."""
    hold = next((h for h in holds if not h.target), holds[0])
    return hold_text(hold)


def hold_text(hold: Hold) -> str:
    """`paused by ana since …: why`, with what is paused where that is not all."""
    what = f"{hold.target} " if hold.target else ""
    why = f": {hold.reason}" if hold.reason else ""
    return f"{what}paused by {hold.actor} since {hold.at}{why}"


def markdown(now: Progress) -> str:
    """Aligned text in a fenced block: the Web UI's tables have no padding."""
    counts = now.counts
    rows = [
        ("stage", now.stage.value),
        ("phase", f"{now.phase}, cycle {now.cycle}"),
        ("sites left", f"{now.sites_left} of {now.sites_at_start}"),
        ("landed", f"{counts.landed} of {counts.total} tasks"),
        ("running", str(counts.running)),
        ("waiting", str(counts.waiting)),
        ("needs person", str(counts.needs_person)),
        *(("area", money.told) for money in counts.areas),
        *([("warning", now.unsearched)] if now.unsearched else []),
        *([("not verified", blind(now.unverified))] if now.unverified else []),
        *([("planned", now.plan.said)] if now.plan and now.plan.said else []),
        *([("flaky", times(now.flaky))] if now.flaky else []),
        *([("hot files", "; ".join(file.told for file in now.hot[:3]))] if now.hot else []),
        *([("base", now.base_merged)] if now.base_merged else []),
        *([("base", now.base_told)] if now.base_told else []),
        *([("pushed", now.push_told)] if now.push_told else []),
        *told_of_deep(now.deep),
        ("branch", now.branch),
        ("tip", (now.tip or "")[:12]),
    ]
    lines = [f"## {now.name}", "", now.objective, "", "```"]
    lines += [f"{label:<14}{value}" for label, value in rows]
    lines.append("```")
    if now.opinion:
        rows = [f"{label:<12}{said}" for label, said in now.opinion.rows]
        lines += ["", f"**The judge of cycle {now.opinion.cycle}**", "", "```", *rows, "```"]
    if now.pilot:
        lines += ["", "**The pilot**", "", "```", *pilot_lines(now.pilot), "```"]
    if now.waiting_for:
        lines += ["", f"**Waiting:** {now.waiting_for}", "", "```", now.command, "```"]
    return "\n".join(lines)


def area_page(cycle: int, counts: TaskCounts, wanted: AreaSteering, window: int, pilot: int) -> str:
    """An area's page: how its tasks stand, and why those wait that do. `pilot`: how many of its
    tasks go first."""
    rows = (
        f"{counts.landed} of {counts.total} tasks landed, {counts.running} running, "
        f"{counts.waiting} waiting, {counts.needs_person} need a person"
    )
    why = _why_tasks_wait(counts, wanted, window, pilot)
    return f"cycle {cycle}: {rows}" + (f"\n\n**Waiting:** {why}" if why else "")


def _why_tasks_wait(counts: TaskCounts, wanted: AreaSteering, window: int, pilot: int) -> str:
    if wanted.cancelled:
        return "it is being cancelled: what has asked to land may"
    if wanted.paused:
        return why_paused(wanted.holds) if wanted.holds else "paused"
    paused = [hold_text(hold) for hold in wanted.holds if hold.target.startswith("task ")]
    if wanted.spent and counts.waiting:
        red = ", ".join(wanted.spent)
        paused.append(f"{red}: red behind the landings, so nothing begins that it is about")
    others = counts.waiting - len(paused)
    if pilot:
        paused.append(f"the {pilot} tasks of the pilot go before the others")
    elif others > 0 and counts.running >= window:
        paused.append(f"{window} tasks at once are the most (starter.py limits)")
    elif others > 0:
        paused.append("the others need what has not landed yet, or files of a task at work")
    return "; ".join(paused)


def fleet_markdown(now: FleetProgress) -> str:
    """A fleet's page: a line for each migration."""
    width = max(len(row.name) for row in now.rows)
    lines = [f"## {now.name}", "", now.objective, "", f"stage: {now.stage.value}", "", "```"]
    lines += [f"{row.name:<{width}}  {row.state}" for row in now.rows]
    lines.append("```")
    if now.waiting_for:
        lines += ["", f"**Waiting:** {now.waiting_for}", "", "```", now.command, "```"]
    return "\n".join(lines)


def cause(error: FailureError) -> str:
    """What an activity or a child said, in one line: what is around it says nothing, and what is
    below it is how it came to say so."""
    said: BaseException = error
    while isinstance(said, (ActivityError, ChildWorkflowError)) and said.cause:
        said = said.cause
    kind = getattr(said, "type", None) or type(said).__name__
    text = said.message if isinstance(said, FailureError) else str(said)
    where = f" in {error.activity_type}" if isinstance(error, ActivityError) else ""
    return f"{kind}{where}: {text}"[:1500]
