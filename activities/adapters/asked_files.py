"""What a command rung wrote to $REQUESTS: files outside its claim that it asks for.

One JSON object a line, `{"path": ..., "reason": ...}`. A program that repository content influences
wrote it, so it is bounded, and whatever is no request is told and goes no further.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple, cast

from activities.contracts.file_requests import MAX_GRANTS, MAX_PATH, MAX_REASON, FileRequest

REQUESTS = "/results/requests"
"""What $REQUESTS is inside: in a folder that is there for one run."""
MOST_BYTES = 256 << 10
TOLD = 5


class Asked(NamedTuple):
    """What was understood and what was not, as `line N: why`."""

    requests: tuple[FileRequest, ...]
    unclear: tuple[str, ...]


NOBODY = Asked((), ())


def read_requests(reports: Sequence[bytes]) -> Asked:
    """The requests, each path once, the first MAX_GRANTS."""
    found: dict[str, FileRequest] = {}
    unclear: list[str] = []
    text = b"\n".join(reports)
    if len(text) > MOST_BYTES:
        return Asked((), (f"it wrote more than {MOST_BYTES >> 10} KiB",))
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
        if not line.lstrip().startswith("{"):
            continue  # a report of another kind
        request = _request(line)
        if isinstance(request, str):
            unclear.append(f"line {number}: {request}")
        else:
            found.setdefault(request.path, request)
    if len(found) > MAX_GRANTS:
        unclear.append(f"it asked for {len(found)} files: {MAX_GRANTS} are the most")
    return Asked(tuple(found.values())[:MAX_GRANTS], tuple(unclear[:TOLD]))


def _request(line: str) -> FileRequest | str:
    try:
        value = cast("object", json.loads(line))
    except (ValueError, RecursionError):
        return "it is no JSON"
    if not isinstance(value, dict):
        return "it is no JSON object"
    fields = cast("dict[str, object]", value)
    path, reason = fields.get("path"), fields.get("reason")
    if not isinstance(path, str) or not path or len(path) > MAX_PATH:
        return "`path` must be the path of a file"
    if not isinstance(reason, str) or not (said := " ".join(reason.split())):
        return "`reason` must say why"
    return FileRequest(path=path.removeprefix("./"), reason=said[:MAX_REASON])
