"""The tools that a model may call: what it sees of them, and the form of each input.

The class docstring is the description that the model reads; field descriptions are its manual.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from activities.contracts.base import Form
from activities.contracts.conversation import Role
from activities.contracts.plan_form import PlanForm
from activities.contracts.verdict_form import VerdictForm

Path = Annotated[str, Field(description="Repository-relative path with /", min_length=1)]


class ListFiles(Form):
    """Lists a directory of the repository: files with their sizes, directories with a slash."""

    path: str = Field(".", description="Repository-relative directory")


class FindFiles(Form):
    """Finds files by a gitignore-style glob, such as src/**/*.py."""

    pattern: str = Field(min_length=1)


class SearchText(Form):
    """Searches file contents with a regular expression (ripgrep syntax); prints path:line: text."""

    pattern: str = Field(min_length=1)
    paths: tuple[str, ...] = Field((), description="Files, directories or globs; none: everything")
    ignore_case: bool = False
    context: int = Field(0, ge=0, le=20, description="Lines before and after each match")


class ReadFile(Form):
    """Reads a text file with line numbers; a long one in ranges."""

    path: Path
    first: int = Field(1, ge=1, description="First line")
    lines: int = Field(400, ge=1, le=2000)


class Outline(Form):
    """Shows a source file's classes and functions with their lines."""

    path: Path


class EditFile(Form):
    """Replaces one exact text in a file by another; it must occur once, whitespace included."""

    path: Path
    old: str = Field(min_length=1, description="The exact text, with enough lines to be unique")
    new: str
    all: bool = Field(False, description="Replace every occurrence")


class WriteFile(Form):
    """Writes a whole file, new or not."""

    path: Path
    content: str


class DeleteFile(Form):
    """Deletes a file."""

    path: Path


class MoveFile(Form):
    """Moves or renames a file; both paths must be yours to change."""

    path: Path
    to: Path


class RunCommand(Form):
    """Runs a shell command in the sandbox, in the repository's root: no network, bounded time and
    output. Tracked files outside yours are put back as they were afterwards."""

    command: str = Field(min_length=1)
    timeout: int = Field(120, ge=1, le=1800, description="Seconds")
    environment: str = Field("", description="One of the spec's; none: that of your checks")


class RunChecks(Form):
    """Runs your task's checks on what you have after this reply's calls, as they will be run before
    it lands; what they say comes before your next turn."""


class RequestFiles(Form):
    """Asks for files outside your claim, with the reason. You may change those that are granted."""

    paths: tuple[Path, ...] = Field(min_length=1, max_length=20)
    reason: str = Field(min_length=1)


class ReportSite(Form):
    """Reports a place outside your claim that still has to change; others will see to it."""

    path: Path
    line: int | None = Field(None, ge=1)
    why: str = Field(min_length=1)


class Measurement(Form):
    """A number you claim, with the command that prints it: it is run again."""

    what: str = Field(min_length=1, max_length=200)
    command: str = Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")
    value: float


class WorkerForm(Form):
    """Ends your work with a handoff to your planner."""

    status: Literal["done", "partial", "cannot"]
    did: str = Field(min_length=1, description="What you changed, in one to five sentences")
    verified: Literal["checks", "some", "nothing"] = Field(
        description="How far you verified it yourself"
    )
    measurements: tuple[Measurement, ...] = Field((), max_length=5)
    concerns: tuple[str, ...] = Field((), max_length=10)
    follow_ups: tuple[str, ...] = Field((), max_length=10)


SUBMIT_PLAN = "submit_plan"
GIVE_VERDICT = "give_verdict"
CONCLUDING = frozenset((SUBMIT_PLAN,))
"""Whose forms are held against more than their shape, and may come back."""

TOOLS: dict[str, type[BaseModel]] = {
    "list_files": ListFiles,
    "find_files": FindFiles,
    "search": SearchText,
    "read": ReadFile,
    "outline": Outline,
    "edit": EditFile,
    "write": WriteFile,
    "delete": DeleteFile,
    "move": MoveFile,
    "run": RunCommand,
    "check": RunChecks,
    "request_files": RequestFiles,
    "report_site": ReportSite,
    "finish": WorkerForm,
    SUBMIT_PLAN: PlanForm,
    GIVE_VERDICT: VerdictForm,
}
"""Tool name → the form of its input."""

READING = ("list_files", "find_files", "search", "read", "outline")
WRITING = ("edit", "write", "delete", "move", "run", "check", "request_files", "report_site")


def tools_of(role: Role) -> tuple[str, ...]:
    """Names in the order in which the model sees them; the last one finishes. Planners and judges
    have none that writes."""
    if role in (Role.WORKER, Role.RESOLVER):
        return (*READING, *WRITING, "finish")
    return (*READING, GIVE_VERDICT if role is Role.JUDGE else SUBMIT_PLAN)
