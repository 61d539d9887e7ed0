"""Where a migration looks, and what counts there as a place that still has to change."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from activities.contracts.base import Form
from activities.contracts.run_form import Reason, Whole
from activities.contracts.shorthands import as_list, exactly_one

FINDERS = ("regex", "ast_grep", "command", "codemod", "failing")
SCANNED = ("regex", "ast_grep")
"""Finders that see in a file what its bytes say, without a command."""


class AstGrepRule(Form):
    """A rule in ast-grep's own words."""

    rule: Annotated[dict[str, Any], Field(min_length=1)]
    constraints: dict[str, Any] = {}
    utils: dict[str, Any] = {}
    language: str | None = None
    """Of every file; None: told by the file's name."""


class Finder(Form):
    """Exactly one way to find sites."""

    regex: str | None = None
    """A Python regular expression, searched line by line in text files."""
    ast_grep: str | AstGrepRule | None = None
    """A pattern such as `old($A)`, matched against syntax, or a rule of ast-grep."""
    command: str | None = None
    """Prints `path` or `path:line`, one a line."""
    codemod: Literal[True] | None = None
    """The files that rung 1 would change."""
    failing: str | None = None
    """A check whose red results are the sites, in the files that they name."""

    @model_validator(mode="after")
    def one_way(self) -> "Finder":
        exactly_one(self, "a finder", FINDERS)
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in FINDERS if getattr(self, kind) is not None)


class Accepted(Form):
    """Sites that may stay."""

    path: str
    max: Annotated[Whole, Field(ge=1)] | None = None
    """Per file; None accepts any number."""
    reason: Reason


class Sites(Form):
    """Where to look and what counts as a place that still has to change."""

    include: Annotated[tuple[str, ...], Field(min_length=1)] = ("/**",)
    """gitignore patterns; a leading / anchors."""
    exclude: tuple[str, ...] = ()
    find: Annotated[
        tuple[Finder, ...],
        BeforeValidator(as_list, json_schema_input_type=Finder | tuple[Finder, ...]),
    ] = ()
    """The union of these; empty: each included file is one site until its task has landed."""
    accept: tuple[Accepted, ...] = ()
