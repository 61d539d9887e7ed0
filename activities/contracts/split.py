"""How site-bearing files become tasks."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from activities.contracts.base import Form
from activities.contracts.run_form import Command, Duration, RunForm, Whole
from activities.contracts.shorthands import as_list, as_run, as_split

MAX_FILES = 20
MOST_FILES = 2000


class SplitBy(StrEnum):
    """How site-bearing files are grouped into tasks."""

    FILE = "file"
    DIRECTORY = "directory"
    PACKAGE = "package"
    """By the nearest folder above that holds a root marker."""
    OWNER = "owner"
    """By who CODEOWNERS names last."""
    IMPORTS = "imports"
    """What is imported lands first; files that import each other stay together."""
    WHOLE = "whole"


class Edges(RunForm):
    """A command that prints who imports whom, over the whole tree."""

    timeout: Duration = "10m"


class Split(Form):
    """Groups site-bearing files into tasks."""

    by: SplitBy = SplitBy.DIRECTORY
    depth: Annotated[Whole, Field(ge=1)] | None = None
    """directory: how many leading path parts name the group; None: the file's own directory."""
    root: Annotated[
        tuple[str, ...], BeforeValidator(as_list, json_schema_input_type=str | tuple[str, ...])
    ] = ()
    """package: names of files that mark a package's root; none: the usual ones."""
    edges: Annotated[
        Edges | None, BeforeValidator(as_run, json_schema_input_type=Command | Edges)
    ] = None
    """imports: prints `importer<TAB>imported`, one pair of paths a line; None: Python's imports."""
    together: tuple[str, ...] = ()
    """Patterns such as `src/{m}.py` and `tests/test_{m}.py`: files with the same groups share a
    task, and those of them without sites are claimed along."""
    order: Literal["path", "sites"] | tuple[str, ...] = "path"
    """Which tasks come first: by path, those with most sites, or gitignore patterns in turn."""
    max_files: Annotated[Whole, Field(ge=1, le=MOST_FILES)] | None = None
    """Per task; None: 20, and all of them for whole. Files that stay together are never cut."""

    @property
    def bound(self) -> int:
        """How many files a task has at most, as far as they can be parted."""
        default = MOST_FILES if self.by is SplitBy.WHOLE else MAX_FILES
        return self.max_files or default


SplitField = Annotated[Split, BeforeValidator(as_split, json_schema_input_type=SplitBy | Split)]
