"""Programs of agents as rungs, by scripts in their place: one that fails and has a key, one that
does the work."""

from decimal import Decimal
from pathlib import Path

from activities.contracts.migration import Stage
from tests.adapters.repositories import Executable, git, make_repository
from tests.service import service
from tests.traces import where_found

CANARY = "canary-5d2e90aa"
SPEC = """\
version: 1
name: programs
repository: REPOSITORY
objective: Every old is new.
sites: {include: ["/src/*.txt"], find: {regex: old}}
ladder:
  - command: {run: [bin/claude, -p, "{prompt}"], network: [models], secrets: {KEY: secret:KEY}}
  - command: [bin/codex, exec, "{prompt}"]
limits: {attempts: 1}
checks: {unit: {run: "true"}}
"""
CLAUDE = """\
#!/bin/bash
echo "my key is $KEY"
echo '{"type": "result", "subtype": "error_max_turns", "num_turns": 9, "total_cost_usd": 0.75}'
"""
CODEX = """\
#!/bin/bash
sed -i s/old/new/ src/*.txt
echo '{"type": "item.completed", "item": {"type": "agent_message", "text": "Done it."}}'
echo '{"type": "turn.completed"}'
"""


async def test_one_program_goes_on_where_another_failed_and_its_cost_and_key_are_kept(
    tmp_path: Path,
) -> None:
    """The cost in the report, the key nowhere."""
    programs = {"bin/claude": Executable(CLAUDE), "bin/codex": Executable(CODEX)}
    make_repository(tmp_path / "upstream", {"src/a.txt": "old\n", **programs})
    home = tmp_path / "home"
    (home / "secrets").mkdir(parents=True)
    (home / "secrets/KEY").write_text(CANARY)
    async with service(home, WHIMBREL_AGENT_REACHES='["models"]') as whimbrel:
        report = await whimbrel.run(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        told = await whimbrel.starter("report", "programs")
        found = where_found(home, CANARY.encode())
        hub = whimbrel.hub(report)
    assert report.outcome is Stage.DONE, report.reason
    assert git(hub, "show", f"{report.tip}:src/a.txt") == b"new\n"
    first, second = report.handoffs[0].attempts
    assert first.run
    assert second.run
    assert first.run.said
    assert (first.outcome, first.run.exit, first.run.said.error) == ("failed", 0, "turns")
    assert "my key is [secret]" in first.run.tail
    assert second.run.said
    assert (second.outcome, second.run.said.summary) == ("changed", "Done it.")
    assert report.spend.recorded == Decimal("0.75")
    assert "0.75 USD" in told.out
    assert found == ["secrets/KEY"]
