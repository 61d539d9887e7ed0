"""The rules that keep a migration from weakening what judges it, or from publishing what nobody may
read, and how a spec waives one."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from activities.contracts.base import Form
from activities.contracts.run_form import Reason


class IntegrityRule(StrEnum):
    """The stable names of the gate's rules that a spec may waive."""

    TESTS_DELETED = "tests-deleted"
    """A test is gone, or is no longer one that a runner collects."""
    TESTS_SKIPPED = "tests-skipped"
    TESTS_EMPTIED = "tests-emptied"
    ASSERTIONS_DROPPED = "assertions-dropped"
    """A test file asserts less often than before."""
    EXPECTATIONS_REWRITTEN = "expectations-rewritten"
    """A snapshot or golden file is not what it was."""
    CONFIGURATION_WEAKENED = "configuration-weakened"
    """Tests, lint, types, coverage or CI are asked for less."""
    CHECKS_SILENCED = "checks-silenced"
    """A comment or attribute that silences a checker was added."""
    SECRETS_ADDED = "secrets-added"
    """A credential was added, known by its form."""
    MODE_FLIP = "mode-flip"
    """A program is none any more, or the reverse."""
    EOL_FLIP = "eol-flip"
    """Line ends are not what they were."""
    LFS_POINTER = "lfs-pointer"
    """A Git LFS pointer became the file itself, or the reverse."""


class Waiver(Form):
    """What a migration may legitimately do to its tests, and to modes and line ends."""

    rule: IntegrityRule
    paths: Annotated[tuple[str, ...], Field(min_length=1)]
    """gitignore patterns."""
    reason: Reason
