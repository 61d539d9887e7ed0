"""The form with which a judge ends: an opinion, which counts for nothing that is counted."""

from typing import Annotated, Literal

from pydantic import Field

from activities.contracts.base import Form

Text = Annotated[str, Field(min_length=1, max_length=500)]


class ReasonForm(Form):
    """One reason, and where it is seen."""

    path: str = Field("", description="Repository-relative path; empty: no single file")
    what: Text


class SeenForm(Form):
    """A place that still has the old way, or works no more."""

    path: Annotated[str, Field(min_length=1)]
    line: int | None = Field(None, ge=1)
    why: Text


class VerdictForm(Form):
    """Ends your judging with an opinion on the cycle."""

    verdict: Literal["pass", "concerns", "fail"] = Field(
        description="pass: you would merge it; concerns: you would ask somebody first; fail: it "
        "does not do what the objective says"
    )
    summary: Annotated[str, Field(min_length=1, max_length=1000)]
    reasons: tuple[ReasonForm, ...] = Field((), max_length=10)
    sites: tuple[SeenForm, ...] = Field((), max_length=20)
