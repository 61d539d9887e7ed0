"""The form with which a planner ends: what a model decides, and nothing that can be counted.

Ids, counts, digests and the base are the system's. The docstrings and descriptions are what the
model reads.
"""

from typing import Annotated

from pydantic import Field

from activities.contracts.base import Form

MAX_TASKS = 500
"""Of one planner; beyond it opens areas."""
MAX_FILES = 2000
"""That one planner lists and divides itself; beyond it opens areas."""
MAX_AREAS = 20
MAX_DEPTH = 2
"""Areas within areas: the planners of these open none."""
MAX_NOTES = 200
"""Lines of field notes."""

Key = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        description="A short name of your choice, unique in this plan, for needs and first",
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Files = Annotated[
    tuple[str, ...],
    Field(
        min_length=1,
        description="Paths, or gitignore patterns such as src/api/ or *_test.py over the files"
        " that you plan",
    ),
]


class TaskForm(Form):
    """One unit of work for one worker, who sees nothing but what it is told."""

    key: Key
    title: Annotated[str, Field(min_length=1, max_length=120)]
    files: Files
    creates: tuple[str, ...] = Field((), description="Paths that it may add, of those you may use")
    needs: tuple[Key, ...] = Field(
        (), description="Keys of tasks and areas that must have landed before it starts"
    )
    instructions: Annotated[str, Field(max_length=4000)] = ""
    priority: Annotated[int, Field(ge=1, le=5, description="1 lands first, 5 last")] = 3


class AreaForm(Form):
    """A part of your files that a planner of its own divides; it knows your decisions, no more."""

    key: Key
    title: Annotated[str, Field(min_length=1, max_length=120)]
    files: Files
    decisions: Annotated[
        tuple[Text, ...],
        Field(max_length=10, description="What is settled for it, and not asked again"),
    ] = ()
    needs: tuple[Key, ...] = Field((), description="As of a task")
    usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0,
        description="What the models of its tasks may cost at most, within what is there for yours;"
        " 0: it has no share of its own",
    )


class PlanForm(Form):
    """Ends your planning. Every file that you plan is in exactly one task or area, or left to the
    split."""

    summary: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Why the work is divided so, for people, in one to five sentences"
    )
    tasks: tuple[TaskForm, ...] = Field((), max_length=MAX_TASKS)
    areas: tuple[AreaForm, ...] = Field((), max_length=MAX_AREAS)
    take_static: bool = Field(
        False,
        description="Files in none of your tasks and areas are divided as the proposal divides them"
        ", so that you list only what you want otherwise",
    )
    instructions: Annotated[str, Field(max_length=4000)] = Field(
        "", description="Told to the worker of every task, those of the split included"
    )
    first: tuple[Key, ...] = Field(
        (),
        max_length=100,
        description="Keys of the tasks that show whether the plan holds: a pilot",
    )
    notes: Annotated[str, Field(max_length=20_000)] = Field(
        "",
        description=f"The field notes rewritten, at most {MAX_NOTES} lines: what every later worker"
        " should know. Empty: they stay as they are",
    )
