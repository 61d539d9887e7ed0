"""What a spec's author may write short: expanded before validation, so forms have one shape."""

from typing import Any, cast

from activities.contracts.base import Form


def as_list(value: Any) -> Any:
    """One thing stands for a list of one."""
    return value if type(value) in (list, tuple) else (value,)


def as_moments(value: Any) -> Any:
    """One moment stands for a list of one; a map of moments is left as it is."""
    return as_list(value) if type(value) is not dict else cast("object", value)


def as_run(value: Any) -> Any:
    """A bare command, text or list, stands for a map that holds only `run`."""
    return {"run": value} if type(value) in (str, list, tuple) else value


def whole(value: Any) -> Any:
    """A choice between numbers would take true and 1.0 for 1."""
    if type(value) is not int:
        raise ValueError("must be a whole number; write it without quotes, such as 1")
    return value


def as_split(value: Any) -> Any:
    """A bare name stands for a map that holds only `by`."""
    return {"by": value} if isinstance(value, str) else value


def exactly_one(form: Form, noun: str, names: tuple[str, ...]) -> None:
    """Raises unless one of the fields is given."""
    given = [name for name in names if getattr(form, name) is not None]
    if len(given) != 1:
        what = f"{noun} has {' and '.join(given) if given else 'nothing in it'}"
        raise ValueError(f"{what}; give exactly one of {', '.join(names)}")
