"""Inputs of MCP tools held against their JSON Schemas; nothing outside of these is ever read."""

from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

MOST, LONG = 5, 300
"""Faults that are told, and characters of each."""


def broken(schema: dict[str, Any]) -> str:
    """What is wrong with a schema itself; empty: nothing."""
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"its schema is none: {error.message[:LONG]}"
    return ""


def faults(schema: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """What is wrong with an input; empty: nothing, as far as the schema can be followed here."""
    kind = validator_for(schema, default=Draft202012Validator)
    validator = kind(schema, registry=Registry())
    found: list[str] = []
    try:
        for error in validator.iter_errors(given):
            found.append(f"`{error.json_path}`: {error.message[:LONG]}")
            if len(found) == MOST:
                break
    except Unresolvable:
        return []  # a schema that lies elsewhere: the server judges
    return found
