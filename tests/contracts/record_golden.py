"""Writes a golden payload for every contract that has none yet; run it as a script.

A payload that exists is never rewritten: it is what a released worker once sent, and every later
class must still read it.
"""

import importlib
import json
import pkgutil
import sys
import types
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import activities.contracts as room
from activities.contracts.base import Contract, Lean

BASES = (Contract, Lean)
GOLDEN = Path(__file__).parent / "golden"
TEXT = {"commit": "1" * 40, "sha256": "a" * 64, "task": "c1-0001", "id": "c1-0001"}
"""Field name → a value that its pattern allows."""
NAMED_BY_PATTERN = {"{40}": "1" * 40, "{64}": "a" * 64}


def contracts() -> list[type[Contract]]:
    """Every Contract of the room, by name."""
    found: dict[str, type[Contract]] = {}
    for module in pkgutil.iter_modules(room.__path__):
        loaded = importlib.import_module(f"{room.__name__}.{module.name}")
        for thing in vars(loaded).values():
            if isinstance(thing, type) and issubclass(thing, Contract) and thing not in BASES:
                found[thing.__name__] = thing
    return [found[name] for name in sorted(found)]


def example(kind: Any, name: str = "", pattern: str = "") -> Any:
    """A value of a type with every field filled in."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        patterns = [p for m in inner[1:] if (p := _pattern(m))]
        return example(inner[0], name, patterns[0] if patterns else pattern)
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        return example(next(i for i in inner if i is not type(None)), name, pattern)
    if origin is tuple:
        return [example(inner[0], name)]
    if origin is dict:
        return {"key": example(inner[1], name)}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {n: example(f.annotation, n, _of(f.metadata)) for n, f in kind.model_fields.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    return {str: _text(name, pattern), int: 1, float: 0.5, bool: True, Decimal: "0.5", Any: "any"}[
        kind
    ]


def _of(metadata: list[Any]) -> str:
    return next((p for m in metadata if (p := _pattern(m))), "")


def _pattern(metadata: Any) -> str:
    return getattr(metadata, "pattern", None) or _of(getattr(metadata, "metadata", []))


def _text(name: str, pattern: str) -> str:
    for part, value in NAMED_BY_PATTERN.items():
        if part in pattern:
            return value
    return TEXT.get(name, f"{name or 'text'}-x") if not pattern else "c1-0001"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for contract in contracts():
        path = GOLDEN / f"{contract.__name__}.json"
        if not path.exists():
            path.write_text(json.dumps(example(contract), indent=1, sort_keys=True) + "\n")
            print(f"recorded {path.name}")


if __name__ == "__main__":
    main()
