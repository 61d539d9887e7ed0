"""Fetches one small text by URL: no redirect, no more than a spec may be, within a minute.

The digest that the caller knows says whether it is the right one; nothing else is fetched.
"""

import http.client
import time
import urllib.error
import urllib.request
from typing import Any

from activities.adapters.yaml_nodes import MAX_BYTES

SECONDS = 60.0
SILENCE = 10.0
"""Seconds that the other side may say nothing."""
_CHUNK = 1 << 16


class FetchFailed(Exception):
    """The text cannot be had; says why."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is pinned is what that address itself says."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> None:
        """Follows nothing: the redirect is told as the answer that it is."""


def fetch(url: str, seconds: float = SECONDS) -> bytes:
    """The content of an http or https URL, which is there within so many seconds."""
    opener = urllib.request.build_opener(_NoRedirect())
    deadline = time.monotonic() + seconds
    content = bytearray()
    try:
        with opener.open(url, timeout=SILENCE) as response:
            while chunk := response.read1(_CHUNK):
                content += chunk
                if len(content) > MAX_BYTES:
                    raise FetchFailed("it is larger than 1 MiB")
                if time.monotonic() > deadline:
                    raise FetchFailed(f"it took longer than {seconds:g} s")
    except urllib.error.HTTPError as error:
        error.close()
        moved = f" to {error.headers['Location']}" if error.headers["Location"] else ""
        raise FetchFailed(f"the server says {error.code} {error.reason}{moved}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise FetchFailed(str(reason) or type(error).__name__) from error
    return bytes(content)
