"""The verbs by which people say something to a migration or a fleet, and read what was said.

Each is an update of the workflow, with who, why and an id; docs/people.md has them all.
"""

from typing import Annotated

import typer

from cli.words import Json, Local, Name, Reason

people = typer.Typer(rich_markup_mode=None)

Task = Annotated[str, typer.Option("--task", metavar="TASK", help="This task only.")]
Area = Annotated[str, typer.Option("--area", metavar="AREA", help="This area only, such as root.")]


@people.command()
def approve(name: Name, reason: Reason = "", local: Local = False, as_json: Json = False) -> None:
    """Approve what a migration waits with: its plan, or the rest after a pilot."""
    _tell("approve", name, local, as_json, reason)


@people.command()
def reject(name: Name, reason: Reason = "", local: Local = False, as_json: Json = False) -> None:
    """Reject it; the migration ends."""
    _tell("reject", name, local, as_json, reason)


@people.command()
def pause(
    name: Name,
    task: Task = "",
    area: Area = "",
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Start nothing new; the step that runs is finished, nothing is lost."""
    _tell("pause", name, local, as_json, reason, task=task, area=area)


@people.command()
def resume(
    name: Name,
    task: Task = "",
    area: Area = "",
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Go on after a pause."""
    _tell("resume", name, local, as_json, reason, task=task, area=area)


@people.command()
def steer(
    name: Name,
    text: Annotated[str, typer.Argument(help="What later prompts of its tasks say too.")],
    task: Task = "",
    area: Area = "",
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Tell every later rung something: of a task, an area or all."""
    _tell("steer", name, local, as_json, reason, text=text, task=task, area=area)


@people.command()
def retry(
    name: Name,
    task: Task = "",
    all_failed: Annotated[
        bool, typer.Option("--all-failed", help="All that ended without landing.")
    ] = False,
    with_dependants: Annotated[
        bool, typer.Option("--with-dependants", help="And what was skipped because of them.")
    ] = False,
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Try tasks again that ended without landing, while others are still at work."""
    if bool(task) is all_failed:
        raise typer.BadParameter("one of --task TASK and --all-failed")
    wanted = {"task": task, "all_failed": all_failed, "with_dependants": with_dependants}
    _tell("retry", name, local, as_json, reason, **wanted)


@people.command()
def skip(
    name: Name,
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="The task.")],
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Leave a task undone; its files, and what needs it, go to a person."""
    _tell("skip", name, local, as_json, reason, task=task)


@people.command()
def limits(
    name: Name,
    concurrency: Annotated[int | None, typer.Option(help="Tasks at once.")] = None,
    attempts: Annotated[int | None, typer.Option(help="Per rung.")] = None,
    cycles: Annotated[int | None, typer.Option(help="Cycles in all.")] = None,
    days: Annotated[int | None, typer.Option(help="At work, pauses not counted.")] = None,
    usd: Annotated[float | None, typer.Option(help="What model turns may cost in all.")] = None,
    area: Annotated[
        str, typer.Option("--area", metavar="AREA", help="--usd is for this area of the plan only.")
    ] = "",
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Set other limits than the spec's, from now on."""
    wanted = {
        "concurrency": concurrency,
        "attempts": attempts,
        "cycles": cycles,
        "days": days,
        "usd": usd,
        "area": area,
    }
    _tell("set_limits", name, local, as_json, reason, **wanted)


@people.command()
def base(
    name: Name,
    accept: Annotated[bool, typer.Option("--accept", help="Merge the new one.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Stay with the old one.")] = False,
    head: Annotated[
        str, typer.Option("--head", metavar="COMMIT", help="Accept only if it is this one.")
    ] = "",
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Decide what becomes of a base that somebody rewrote (a forced push)."""
    if accept is keep:
        raise typer.BadParameter("one of --accept and --keep")
    if head and keep:
        raise typer.BadParameter("--head says what is accepted: it does not go with --keep")
    _tell("decide_base", name, local, as_json, reason, accept=accept, keep=keep, head=head)


@people.command()
def branch(
    name: Name,
    accept: Annotated[bool, typer.Option("--accept", help="What was pushed stays.")] = False,
    set_back: Annotated[
        bool, typer.Option("--set-back", help="Back to the last commit of the migration.")
    ] = False,
    head: Annotated[
        str, typer.Option("--head", metavar="COMMIT", help="Decide only if it is this one.")
    ] = "",
    reason: Reason = "",
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Decide what becomes of what somebody else pushed to the green branch."""
    if accept is set_back:
        raise typer.BadParameter("one of --accept and --set-back")
    _tell("decide_push", name, local, as_json, reason, accept=accept, back=set_back, head=head)


@people.command()
def cancel(
    name: Name,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """End it: what has asked to land still lands; finished steps of the rest are kept under refs,
    which the report lists."""
    if not yes:
        typer.confirm(f"End {name}? What has landed stays.", abort=True, err=True)
    _tell("cancel", name, local, as_json, reason)


@people.command()
def audit(name: Name, local: Local = False, as_json: Json = False) -> None:
    """Print who said what, when and why, and what was refused."""
    from cli import audit as auditing
    from cli import boundary

    raise typer.Exit(boundary.run(auditing.audit(name, local, as_json)))


def _tell(
    verb: str,
    name: str,
    local: bool,
    as_json: bool,
    reason: str,
    **fields: str | bool | float | None,
) -> None:
    from cli import boundary, telling

    said = telling.Said(verb, {"reason": reason, **fields})
    raise typer.Exit(boundary.run(telling.tell(said, name, local, as_json)))
