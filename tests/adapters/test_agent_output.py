"""What programs of agents print, as each of them does, read as one shape."""

import json
from decimal import Decimal

import pytest

from activities.adapters.agent_output import agent_of, read_said
from activities.adapters.reporting import ending
from activities.contracts.spec import CommandRung
from activities.contracts.work import AgentSaid, Attempt, CommandRun, RungOutcome

CLAUDE = {
    "type": "result", "subtype": "success", "is_error": False, "duration_ms": 81_234,
    "num_turns": 12, "result": "All 3 sites use httpx now.", "session_id": "s",
    "total_cost_usd": 0.1234, "usage": {"input_tokens": 10},
}  # fmt: skip
CODEX = (
    {"type": "thread.started", "thread_id": "t"},
    {"type": "turn.started"},
    {"type": "item.completed", "item": {"id": "1", "type": "command_execution"}},
    {"type": "item.completed", "item": {"id": "2", "type": "agent_message", "text": "Done."}},
    {"type": "turn.completed", "usage": {"input_tokens": 9, "output_tokens": 3}},
)
AIDER = """\
Tokens: 4.1k sent, 212 received. Cost: $0.02 message, $0.02 session.
Applied edit to a.py
Tokens: 5k sent, 100 received. Cost: $0.03 message, $0.05 session.
"""


def lines(*events: object, noise: str = "") -> bytes:
    return (noise + "\n".join(map(json.dumps, events)) + "\n").encode()


def failed(subtype: str, result: str = "") -> bytes:
    return lines({**CLAUDE, "subtype": subtype, "is_error": True, "result": result})


def said(agent: str, **fields: object) -> AgentSaid:
    return AgentSaid.model_validate({"agent": agent, **fields})


@pytest.mark.parametrize(
    ("agent", "output", "wanted"),
    [
        (
            "claude",
            lines(CLAUDE, noise="warning: no tty\n"),
            said("claude", summary=CLAUDE["result"], usd=Decimal("0.1234"), turns=12),
        ),
        ("claude", json.dumps(CLAUDE, indent=1).encode(), said(
            "claude", summary=CLAUDE["result"], usd=Decimal("0.1234"), turns=12)),
        ("claude", failed("success", "Invalid API key · Please run /login"), "login"),
        ("claude", failed("success", "API Error: 529 overloaded_error"), "limit"),
        ("claude", failed("error_max_turns"), "turns"),
        ("claude", failed("error_during_execution", "boom"), "failed"),
        ("claude", b"Segmentation fault\n", None),
        ("claude", b'{"type": "result", "num_turns": "many", "total_cost_usd": "NaN"}\n', "failed"),
        ("claude", lines([1], "x", {"type": "system"}), None),
        ("codex", lines(*CODEX), said("codex", summary="Done.", turns=1)),
        ("codex", lines(*CODEX[:2], {"type": "turn.failed", "error": {"message": "usage limit"}}),
         "limit"),
        ("codex", lines({"type": "error", "message": "401 Unauthorized"}), "login"),
        ("codex", b"stream error\n", None),
        ("aider", AIDER.encode(), said("aider", usd=Decimal("0.05"), turns=2)),
        ("aider", b"hello\n", None),
        ("generic", lines({"summary": "ok", "usd": 2, "turns": 3}), said(
            "generic", summary="ok", usd=Decimal(2), turns=3)),
        ("generic", lines({"summary": "x" * 9_999}), said("generic", summary="x" * 2_000)),
        ("generic", lines({"error": "quota", "usd": -1}), "limit"),
        ("generic", lines({"other": 1}), None),
        ("generic", b'{"summary": ' + b"[" * 100_000, None),
        ("generic", b"\xff\x00{", None),
        ("generic", b"", None),
        ("", lines(CLAUDE), None),
    ],
)  # fmt: skip
def test_each_program_tells_its_result_in_its_own_way(
    agent: str, output: bytes, wanted: AgentSaid | str | None
):
    found = read_said(agent, output)
    assert (found.error if isinstance(wanted, str) and found else found) == wanted


@pytest.mark.parametrize(
    ("run", "more", "agent"),
    [
        (("claude", "-p", "{prompt}"), {}, "claude"),
        (("/opt/bin/codex", "exec", "--json", "{prompt}"), {}, "codex"),
        ("cd src && aider --message-file {prompt_file}", {}, "aider"),
        ("npx some-agent {prompt}", {}, "generic"),
        ("my-claude-like {files}", {}, ""),
        ("sed -i s/a/b/ {files}", {}, ""),
        ("wrapper {prompt}", {"agent": "codex"}, "codex"),
        ("claude -p {prompt}", {"agent": "generic"}, "generic"),
    ],
)
def test_whose_output_it_is_is_said_or_told_by_the_programs_name(
    run: object, more: dict[str, str], agent: str
):
    assert agent_of(CommandRung.model_validate({"run": run, **more})) == agent


def test_a_report_says_what_an_agent_said_of_its_failure_and_its_cost_counts():
    words = said("claude", summary="Invalid API key\nRun /login", usd="0.5", turns=1, error="login")
    run = CommandRun(exit=1, seconds=1, tail="}", said=words)
    attempt = Attempt(number=1, rung=0, kind="command", outcome=RungOutcome.FAILED, run=run)
    told = "exit 1: claude says: login: Invalid API key (1 turn, 0.50 USD)"
    assert ending(attempt) == f"command: failed ({told})"
    assert attempt.spend.total == Decimal("0.5")
