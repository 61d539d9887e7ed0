"""The two kinds of shapes.

A Contract travels between processes of different ages: it ignores fields it does not know, and new
fields have defaults, so shapes only grow. A Form was written by a person or a model: it forbids
what it does not know. Both are frozen; collections are tuples.
"""

import hashlib
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)


class Contract(BaseModel):
    """A message between rooms; unknown fields are ignored: old workers read new messages."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Lean(Contract):
    """A message that goes into a history again and again: what is at its default is left out."""

    @model_serializer(mode="wrap")
    def _lean(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in whole(self).items()
            if fields[name].is_required() or getattr(self, name) != fields[name].get_default()
        }


class Form(BaseModel):
    """Something a person or a model wrote; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
"""A full SHA-1 commit id; sha256 repositories are refused at intake."""

TaskId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""Unique in a migration, such as `c1-0042` (cycle 1, task 42)."""


class BlobRef(Contract):
    """Where something too big for history is kept, under one migration's prefix."""

    migration: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int
    """Bytes."""


def digest_of(model: BaseModel) -> str:
    """The sha256 of a model's canonical JSON: equal content gives an equal digest anywhere."""
    return hashlib.sha256(model.model_dump_json().encode()).hexdigest()
