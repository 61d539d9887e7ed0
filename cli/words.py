"""Arguments and options that many verbs share; imports nothing that help would wait for."""

import re
from pathlib import Path
from typing import Annotated

import typer

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """`90`, `90s`, `10m`, `2h`, `1d` as seconds."""
    found = re.fullmatch(r"(\d+)([smhd]?)", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no duration; write 90s, 10m, 2h or 1d")
    return int(found[1]) * _SECONDS[found[2]]


Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The migration spec, a YAML file.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A migration, or a unique prefix of it.")]
Shown = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        help="A task, or a unique prefix of it; or what planners talked about: plan/c1/root.",
    ),
]
Local = Annotated[bool, typer.Option("--local", help="Run Temporal and a worker on this machine.")]
Json = Annotated[bool, typer.Option("--json", help="Data for programs, with a schema field.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; kept in the report.")]
Timeout = Annotated[
    float | None, typer.Option(parser=seconds, metavar="10m", help="Give up waiting (exit 6).")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; approve whatever waits.")]
