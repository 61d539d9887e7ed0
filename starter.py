"""The people's door: start a migration, watch it, steer it, read what came of it.

Each verb is declared here and done in cli/. Only typer and the standard library are imported
before a verb runs, so that help and completion answer at once. Exit codes: 0 done, 1 not all done,
2 usage or spec, 3 not found, 4 nothing answers, 5 refused, 6 waited too long, 130 detached.
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.people import people
from cli.words import Json, Local, Name, Shown, Spec, Timeout, Yes, seconds

app = typer.Typer(
    help="Whimbrel carries a code migration from one sentence of intent to a green branch.",
    epilog="Exit codes: 0 done, 1 not all done, 2 usage or spec error, 3 not found, "
    "4 nothing answers, 5 refused, 6 waited too long, 130 detached by Ctrl-C.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(people)

DETACHED = "Detached. Look again with: starter.py watch {name}"
STOPPED = "Stopped; nothing is lost. Go on with: starter.py start {spec} --local{plan}"
DEMO_STOPPED = "Stopped; nothing is lost. Go on with: starter.py demo"


@app.command()
def init(
    repository: Annotated[str, typer.Option(help="A path or URL; its files tell the rest.")] = "",
    name: Annotated[str, typer.Option(help="The migration's name.")] = "",
    objective: Annotated[str, typer.Option(help="What the code looks like when done.")] = "",
    include: Annotated[list[str] | None, typer.Option(help="Where: a gitignore pattern.")] = None,
    regex: Annotated[str, typer.Option(help="What is there to find.")] = "",
    codemod: Annotated[str, typer.Option(help="The tool: its command with {files}.")] = "",
    check: Annotated[str, typer.Option(help="The command that tests it.")] = "",
    python: Annotated[str, typer.Option(help="Such as 3.11.")] = "",
    pip: Annotated[list[str] | None, typer.Option(help="A package: name==version.")] = None,
    npm: Annotated[list[str] | None, typer.Option(help="A package: name@version.")] = None,
    output: Annotated[Path | None, typer.Option("-o", help="Default: NAME.yaml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite.")] = False,
) -> None:
    """Write a commented spec; asks for what is not said."""
    from cli import boundary
    from cli import init as initialising

    words = (tuple(include or ()), regex, codemod, check, python, tuple(pip or ()))
    wishes = initialising.Wishes(
        repository, name, objective, *words, tuple(npm or ()), output, force
    )
    raise typer.Exit(boundary.run(initialising.init(wishes)))


@app.command()
def validate(spec: Spec) -> None:
    """Check a spec: all its errors at once, each with line and column."""
    from cli import boundary, starting

    raise typer.Exit(boundary.run(starting.validate(spec)))


@app.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    import json

    from activities.adapters.spec_file import json_schema

    typer.echo(json.dumps(json_schema(), indent=2, sort_keys=True))


@app.command()
def plan(
    spec: Spec,
    output: Annotated[
        Path | None, typer.Option("-o", help="Save the plan of the first phase.")
    ] = None,
    phase: Annotated[str, typer.Option(help="Save this phase's plan instead.")] = "",
    local: Local = False,
    as_json: Json = False,
    timeout: Timeout = None,
) -> None:
    """Show every phase's tasks, files, waves and forecast; starts nothing else."""
    from cli import boundary, fleet_planning

    verb = fleet_planning.plan(spec, local, as_json, output, timeout, phase)
    raise typer.Exit(boundary.run(verb))


@app.command()
def start(
    spec: Spec,
    local: Local = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress to the end.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait to the end, silently.")] = False,
    plan: Annotated[Path | None, typer.Option(help="Run exactly this saved plan.")] = None,
    yes: Yes = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Start a migration or a fleet, or join the open run of the same spec."""
    from cli import boundary, fleet_starting
    from cli.watching import Following

    following = Following(watch or wait, wait and not watch, yes, timeout, as_json)
    verb = fleet_starting.start(spec, local, plan, following)
    again = STOPPED.format(spec=spec, plan=f" --plan {plan}" if plan else "")
    gone = again if local else "Detached. Look again with: starter.py list"
    raise typer.Exit(boundary.run(verb, gone))


@app.command()
def status(name: Name, local: Local = False, as_json: Json = False) -> None:
    """Show where a migration is and what it waits for."""
    from cli import asking, boundary

    raise typer.Exit(boundary.run(asking.status(name, local, as_json)))


@app.command("list")
def list_all(local: Local = False, as_json: Json = False) -> None:
    """List all migrations."""
    from cli import asking, boundary

    raise typer.Exit(boundary.run(asking.list_all(local, as_json)))


@app.command()
def watch(
    name: Name,
    local: Local = False,
    yes: Yes = False,
    timeout: Timeout = None,
    as_json: Json = False,
) -> None:
    """Follow a migration to its end."""
    from cli import boundary, watching

    following = watching.Following(yes=yes, timeout=timeout, as_json=as_json)
    verb = watching.watch(name, local, following)
    raise typer.Exit(boundary.run(verb, DETACHED.format(name=name)))


@app.command()
def report(
    name: Name,
    as_json: Json = False,
    md: Annotated[bool, typer.Option("--md", help="Markdown, which is the default.")] = False,
    html: Annotated[bool, typer.Option("--html", help="One page that needs nothing else.")] = False,
    output: Annotated[Path | None, typer.Option("-o", help="Write it to a file.")] = None,
    local: Local = False,
) -> None:
    """Print what landed, what did not and why."""
    from cli import boundary
    from cli import report as reporting

    if as_json + md + html > 1:
        raise typer.BadParameter("one of --json, --md and --html")
    how = reporting.Format("json" if as_json else "html" if html else "md")
    raise typer.Exit(boundary.run(reporting.report(name, local, how, output)))


@app.command()
def diff(
    name: Name,
    stat: Annotated[bool, typer.Option("--stat", help="Files and counts only.")] = False,
    local: Local = False,
) -> None:
    """Show what the green branch changed since the base."""
    from cli import asking, boundary

    raise typer.Exit(boundary.run(asking.diff(name, local, stat)))


@app.command()
def show(
    name: Name,
    task: Shown = "",
    notes: Annotated[bool, typer.Option("--notes", help="The field notes instead.")] = False,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Show one task: its attempts, evidence and commit, and what its agents said; or the notes."""
    from cli import boundary, tasks

    if bool(task) is notes:
        raise typer.BadParameter("name a task, or say --notes: one of them")
    wanted = tasks.notes(name, local, as_json) if notes else tasks.show(name, task, local, as_json)
    raise typer.Exit(boundary.run(wanted))


@app.command()
def ledger(name: Name, local: Local = False, as_json: Json = False) -> None:
    """Print what is left, by path, as CSV."""
    from cli import boundary
    from cli.ledger import show_ledger

    raise typer.Exit(boundary.run(show_ledger(name, local, as_json)))


@app.command()
def gc(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Only this migration; default: all.")
    ] = "",
    older_than: Annotated[
        float | None,
        typer.Option(
            parser=seconds, metavar="30d", help="Closed for so long; default: limits.days + 30d."
        ),
    ] = None,
    hub: Annotated[
        str, typer.Option(metavar="REPOSITORY", help="Delete this hub, with its branches, instead.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, delete nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Delete blobs and refs of migrations that ended long ago; never of one that is open."""
    from cli import boundary
    from cli import gc as collecting

    if not hub:
        verb = collecting.collect(name, older_than, dry_run, local, as_json)
        raise typer.Exit(boundary.run(verb))
    if name or older_than is not None:
        raise typer.BadParameter("--hub deletes one hub: it takes neither NAME nor --older-than")
    if not (yes or dry_run):
        lost = "What was not fetched from its branches is gone."
        typer.confirm(f"Delete the hub {hub}? {lost}", abort=True, err=True)
    raise typer.Exit(boundary.run(collecting.remove_hub(hub, dry_run, local, as_json)))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check this machine: git, sandbox, Temporal, Python, disk."""
    from cli import boundary
    from cli import doctor as doctoring

    raise typer.Exit(boundary.run(doctoring.doctor(as_json)))


@app.command()
def demo(
    model: Annotated[
        bool, typer.Option("--model", help="Claude plans and works too; needs a key.")
    ] = False,
) -> None:
    """Migrate a real project on this machine, from fetch to report."""
    from cli import boundary
    from cli import demo as demonstrating

    raise typer.Exit(boundary.run(demonstrating.demo(model), DEMO_STOPPED))


def main() -> None:
    """The entry point of the installed command."""
    from activities.adapters.leaving import run_and_leave

    run_and_leave(app)


if __name__ == "__main__":
    main()
