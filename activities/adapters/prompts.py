"""The roles' prompts: files in activities/prompts, filled in.

What comes from the repository is data: it is bounded, and stands between marks that it cannot
close.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.meta import find_referenced_templates

from activities.adapters.bounded_text import bounded
from activities.adapters.hub import Hub
from activities.contracts.conversation import Role
from activities.contracts.marking import as_data

FOLDER = Path(__file__).parent.parent / "prompts"
SUMMARISE = "summarise.md"
RULES = ("AGENTS.md", "CLAUDE.md")
"""What a repository says to agents: the first one that is there, in its root."""
RULES_BYTES = 16 << 10


class Prompt(NamedTuple):
    """A role's prompt, filled in."""

    text: str
    digests: dict[str, str]
    """File → sha256, as it was reviewed: the role's, those that it is built on, and what it is told
    when it has become too long."""


def render(role: Role, values: Mapping[str, Any]) -> Prompt:
    """The role's prompt with these values; raises where the file asks for one that is missing."""
    name = f"{role.value}.md"
    text = _templates().get_template(name).render(**values).lstrip()
    files = [*_files(name), SUMMARISE]
    digests = {n: hashlib.sha256((FOLDER / n).read_bytes()).hexdigest() for n in files}
    return Prompt(re.sub(r"\n{3,}", "\n\n", text), digests)


def _files(name: str) -> list[str]:
    """The prompt's file, then those that it extends."""
    source = (FOLDER / name).read_text()
    found = find_referenced_templates(_templates().parse(source))
    return [name, *(below for other in found if other for below in _files(other))]


def house_rules(hub: Hub, commit: str) -> list[tuple[str, str]]:
    """What the repository says to agents, as (file, text); links are not followed."""
    tree = hub.tree(commit)
    for file in hub.among(tree, RULES):
        if file.mode in ("100644", "100755"):
            text = hub.read_blob(file.blob).decode("utf-8", "replace")
            return [(file.path, as_data(bounded(text, RULES_BYTES)))]
    return []


@cache
def _templates() -> Environment:
    return Environment(  # prompts are no HTML
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, trim_blocks=True
    )
