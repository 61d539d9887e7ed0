"""The doctor's look at the hubs: here, or where another host serves them."""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from activities.adapters.git import without_secrets
from activities.adapters.hub_state import HubState, state_of
from activities.adapters.hub_trial import asked, problems
from activities.adapters.hubs import HubUnreachable
from activities.adapters.settings import Settings
from cli.finding import GIT_AT_LEAST, ROOM, Finding

DOOR = "see docs/many-hosts.md, Serving the hubs"


async def hub(settings: Settings) -> Finding:
    """Hubs that are here are looked at; elsewhere, this host's rights are tried."""
    if isinstance(settings.hub, Path):
        state = await asyncio.to_thread(state_of, settings.hub)
        wrong = [*_wrong(state)]
        fix = "free some space there, let the workers' user write there, or set WHIMBREL_HUB"
        return Finding("hub", not wrong, f"{settings.hub}: {'; '.join(wrong) or _told(state)}", fix)
    return await asyncio.to_thread(_elsewhere, settings, settings.hub)


def _elsewhere(settings: Settings, url: str) -> Finding:
    where = without_secrets(url)
    try:
        state = asked(url)
        known = state.hubs if state else ()
        known = known or tuple(sorted(path.stem for path in settings.mirrors.glob("*.git")))
        wrong = [*_wrong(state)] if state else []
        if known:
            with tempfile.TemporaryDirectory() as room:
                wrong += problems(url, settings.host, known[0], Path(room))
    except HubUnreachable as away:
        fix = f"check WHIMBREL_HUB, the network and this host's key; {DOOR}"
        return Finding("hub", False, f"{where} does not answer: {away}", fix)
    seen = [_told(state)] if state else ["its disk and git are not seen from here"]
    seen.append(f"rights of {settings.host} tried at {known[0]}" if known else "no hub to try yet")
    return Finding("hub", not wrong, f"{where}: {'; '.join(wrong or seen)}", f"on its host: {DOOR}")


def _wrong(state: HubState) -> Iterator[str]:
    found = re.match(r"(\d+)\.(\d+)", state.git)
    if not found or (int(found[1]), int(found[2])) < GIT_AT_LEAST:
        yield f"its git is {state.git or 'not found'}, not {'.'.join(map(str, GIT_AT_LEAST))}"
    if state.free < ROOM:
        yield f"only {_gib(state.free)} free on its disk"
    if not state.writable:
        yield "its folder cannot be written"
    if not state.hook:
        yield "the hook that refuses other hosts' refs cannot be run"


def _told(state: HubState) -> str:
    hubs = f"{len(state.hubs)} hub{'' if len(state.hubs) == 1 else 's'}"
    return f"{hubs}, git {state.git}, {_gib(state.free)} free"


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
