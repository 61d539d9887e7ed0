"""What a check says about its results: how they are read, named and held against others."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from activities.contracts.base import Form
from activities.contracts.run_form import Duration, Reason, Whole


class Expectation(StrEnum):
    """What a check's results are held against."""

    NO_WORSE = "no_worse"
    """No new failure and no smaller count than the tree it is based on."""
    PASS = "pass"
    REPORT = "report"
    """Never red."""


class SameAs(Form):
    """Every result that passed in another check's run on the base passes here."""

    same_as: str


class ResultKind(StrEnum):
    """How a check's results are read."""

    EXIT = "exit"
    JUNIT = "junit"
    TAP = "tap"
    GO = "go"
    """What `go test -json` prints."""
    CARGO = "cargo"
    """What `cargo test` prints."""
    UNITTEST = "unittest"
    """What `python -m unittest -v` prints."""


class KeywordForm(Form):
    """A form with fields whose names are Python's own words, spelled by their alias everywhere."""

    model_config = ConfigDict(validate_by_alias=True, serialize_by_alias=True)


class ResultPatterns(KeywordForm):
    """Python regular expressions, searched in each line of the output."""

    passed: Annotated[str | None, Field(alias="pass")] = None
    """A line of a result that passed; the group `id` is its name."""
    failed: Annotated[str | None, Field(alias="fail")] = None
    skipped: Annotated[str | None, Field(alias="skip")] = None
    count: str | None = None
    """A line that says in its group `n` how many results there were, skipped ones not counted."""

    @model_validator(mode="after")
    def some_pattern(self) -> "ResultPatterns":
        if not (self.passed or self.failed or self.count):
            raise ValueError("no pattern tells a result; give pass, fail or count")
        return self

    @property
    def counted(self) -> bool:
        """Whether green results are seen too: if only failures are, fewer are better."""
        return self.passed is not None or self.count is not None


class ErrorBudget(Form):
    """How much may be red behind the landings before no task begins that it is about."""

    reds: Annotated[Whole, Field(ge=0)] | None = None
    """Results of one check that may be red; None: any number."""
    age: Duration | None = None
    """How long one may be red; None: for ever."""


class Landings(Form):
    """Which of the checks at landing a batch waits for."""

    checks: tuple[str, ...] = ()
    """Names of those that it does; empty: all that are not deep."""
    deep: tuple[str, ...] = ()
    """Names of those that run behind, one run at a time on the newest commit: what they hold on is
    what `<branch>-green` moves to."""
    budget: ErrorBudget | None = None
    """None: whatever is red, tasks go on."""


class Normalisation(KeywordForm):
    """Takes out of ids what differs from run to run, after addresses and the checkout's root."""

    replace: Annotated[str, Field(min_length=1)]
    r"""A Python regular expression; every match is replaced."""
    replacement: Annotated[str, Field(alias="with")]
    r"""\1 and \g<name> are what the groups hold."""


class Target(KeywordForm):
    """What to check for a path: the first rule that matches it gives the target."""

    source: Annotated[str, Field(alias="from", min_length=1)]
    """A Python regular expression that matches the whole path; a dot is any character."""
    to: Annotated[str, Field(min_length=1)]
    """The target; {name} is what a group holds."""
    exists: str | None = None
    """A path, of a file or folder, that the tree under test must have, or the rule is passed over.
    """


class Allowed(Form):
    """A result that may be red."""

    id: str
    """A glob over result ids."""
    reason: Reason
