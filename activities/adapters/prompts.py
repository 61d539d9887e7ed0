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

from activities.adapters.bounded_text import bounded
from activities.adapters.hub import Hub
from activities.contracts.conversation import Role

FOLDER = Path(__file__).parent.parent / "prompts"
RULES = ("AGENTS.md", "CLAUDE.md")
"""What a repository says to agents: the first one that is there, in its root."""
RULES_BYTES = 16 << 10
_MARK = re.compile(r"</?\s*data\b", re.IGNORECASE)


class Prompt(NamedTuple):
    """A role's prompt, filled in."""

    text: str
    name: str
    digest: str
    """Of the file, as it was reviewed."""


def render(role: Role, values: Mapping[str, Any]) -> Prompt:
    """The role's prompt with these values; raises where the file asks for one that is missing."""
    name = f"{role.value}.md"
    source = (FOLDER / name).read_bytes()
    text = _templates().get_template(name).render(**values)
    return Prompt(re.sub(r"\n{3,}", "\n\n", text), name, hashlib.sha256(source).hexdigest())


def as_data(text: str) -> str:
    """Text from the repository or a program that cannot end its own marks."""
    return _MARK.sub(lambda found: found[0].replace("<", "&lt;"), text)


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
