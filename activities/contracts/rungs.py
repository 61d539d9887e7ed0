"""The rungs of a ladder: exactly one way each to do a task."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictFloat, model_validator

from activities.contracts.base import Form
from activities.contracts.environment import SecretReference
from activities.contracts.mcp import ServerName
from activities.contracts.models import ModelName
from activities.contracts.run_form import Command, Duration, Flag, Name, RunForm, Whole
from activities.contracts.shorthands import as_run, exactly_one


class Codemod(RunForm):
    """A tool that rewrites the claimed files."""

    apply: Literal["task", "once"] = "task"
    """once: run over everything in one workspace; each task takes its claims of the result."""
    batch: Annotated[Whole, Field(ge=1)] | None = None
    """Values of the list placeholder per call; None: as many as fit."""
    exit: tuple[Whole, ...] | Literal["any"] = (0,)
    network: tuple[Name, ...] = ()
    """Names of what it reaches, with apply: once alone; without any it is offline."""
    empty: Flag = True
    """False: no change is a failed rung."""
    env: dict[str, str] = {}
    dir: str = "."
    timeout: Duration = "10m"


class CommandRung(RunForm):
    """Any other program that does the task, such as another agent's CLI; runs in the sandbox."""

    agent: Literal["", "claude", "codex", "aider", "generic"] = ""
    """Whose way of telling its result it has; empty: as the program is called."""
    network: tuple[Name, ...] = ()
    """Names of what it reaches, where the worker allows each; without any it is offline."""
    secrets: dict[str, SecretReference] = {}
    """Variables that it sees: secret:NAME, a file of the worker's; only where that allows what it
    reaches."""
    env: dict[str, str] = {}
    dir: str = "."
    timeout: Duration = "30m"


class ClaudeRung(Form):
    """Claude through the Messages API; needs a model worker."""

    model: ModelName | None = None
    """None: the migration's model for workers."""
    turns: Annotated[Whole, Field(ge=1, le=200)] = 40
    advice: str = ""
    """What its prompt adds, for this rung alone."""
    usd: Annotated[StrictFloat, Field(gt=0)] | None = None
    """What one attempt may cost at most; None: what is left of the task's grant."""
    mcp: tuple[ServerName, ...] | None = None
    """MCP servers whose tools it may call; None: the migration's."""


RUNGS = ("codemod", "command", "write", "claude")


class Rung(Form):
    """Exactly one way to do a task."""

    codemod: Annotated[
        Codemod | None, BeforeValidator(as_run, json_schema_input_type=Command | Codemod)
    ] = None
    command: Annotated[
        CommandRung | None, BeforeValidator(as_run, json_schema_input_type=Command | CommandRung)
    ] = None
    write: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """path → content."""
    claude: ClaudeRung | None = None

    @model_validator(mode="after")
    def one_way(self) -> "Rung":
        exactly_one(self, "a rung", RUNGS)
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in RUNGS if getattr(self, kind) is not None)
