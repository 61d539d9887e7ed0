"""The doctor asks the MCP servers of this machine for their tools."""

from pathlib import Path

import pytest
from mcp_programs import program, settings

from activities.adapters.settings import Settings
from cli.doctor_mcp import mcp as look


@pytest.mark.parametrize(
    ("servers", "ok", "seen"),
    [
        ({}, True, "no servers"),
        ({"fake": program(tools=["lookup", "hang"])}, True, "fake: 2 tools"),
        ({"fake": {"command": "/nowhere/server"}}, False, "the MCP server fake is away"),
        ({"fake": {"comand": "x"}}, False, "comand"),
    ],
    ids=["none", "sound", "not there", "misspelt"],
)
async def test_servers_are_asked(tmp_path: Path, servers, ok, seen):
    found = await look(Settings(home=tmp_path, mcp=settings(tmp_path, **servers)))
    assert (found.ok, seen in found.seen) == (ok, True), found
