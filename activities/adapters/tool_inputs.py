"""What a model gives a tool, vetted before anything is done with it."""

import json
from typing import Any, cast

from pydantic import ValidationError

from activities.adapters.tool_text import Refused
from activities.contracts.tools import TOOLS
from activities.contracts.transcript import MALFORMED


def plain(name: str, given: object, takes: str) -> dict[str, Any]:
    """The input as a JSON object of texts that can be sent on. Raises Refused."""
    if not isinstance(given, dict) or MALFORMED in given:
        raise Refused(
            f"the input of {name} is no JSON object of whole characters: send it again. "
            f"It takes {takes}"
        )
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        bad = ascii(error.object[error.start])
        raise Refused(f"the input of {name} holds {bad}, which is no text: leave it out") from None
    return cast("dict[str, Any]", given)


def valid(name: str, given: object) -> Any:
    """The input as the tool's form. Raises Refused."""
    form = TOOLS[name]
    takes = ", ".join(form.model_fields) or "nothing"
    given = plain(name, given, takes)
    try:
        return form.model_validate(given)
    except ValidationError as invalid:
        found = [
            f"`{'.'.join(map(str, error['loc']))}`: {error['msg']}" for error in invalid.errors()
        ]
        shown = "; ".join(found[:10])
        raise Refused(f"the input of {name} is not valid: {shown}. It takes {takes}") from None
