"""The fake MCP server as a worker's settings have it: a file for WHIMBREL_MCP."""

import json
import sys
from pathlib import Path
from typing import Any

FAKE = Path(__file__).parent / "fakes/mcp_server.py"


def program(**more: Any) -> dict[str, Any]:
    """The fake as a program that the sandbox can start, with the tests' own interpreter."""
    base = Path(sys.executable).resolve().parent.parent
    seen = {sys.prefix, str(base), str(FAKE.parent)}
    folders = sorted(folder for folder in seen if not folder.startswith("/usr"))
    return {"command": sys.executable, "args": [str(FAKE)], "mounts": folders, **more}


def settings(folder: Path, **servers: dict[str, Any]) -> Path:
    """The file that lists these servers."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": servers}))
    return file
