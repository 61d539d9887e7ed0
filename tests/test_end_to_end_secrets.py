"""A secret, from the worker's folder to `prepare` and nowhere else."""

from pathlib import Path

from activities.contracts.migration import Stage
from tests.adapters.repositories import make_repository
from tests.service import service
from tests.traces import where_found

CANARY = "canary-8f1c2b77"
SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: Every old becomes new.
sites: {include: ["/*.txt"], find: {regex: old}}
ladder: [{codemod: "env; cat $ENV/told; sed -i s/old/new/ {files}"}]
environments:
  tool:
    prepare: |
      echo "the token is $TOKEN, ${#TOKEN} long" | tee /tmp/said >&2
      printf %s "${#TOKEN}" > $ENV/told
      EXIT
    secrets: {TOKEN: secret:CANARY}
checks:
  done: {run: "env; cat $ENV/told; test -f a.txt"}
"""


async def test_a_secret_is_nowhere_but_in_its_file(tmp_path: Path) -> None:
    """A migration that goes well and one whose `prepare` fails, saying all it knows."""
    make_repository(tmp_path / "upstream", {"a.txt": "old\n"})
    home, upstream = tmp_path / "home", str(tmp_path / "upstream")
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "CANARY").write_text(CANARY)
    async with service(home) as whimbrel:
        good = await whimbrel.run(SPEC, NAME="good", REPOSITORY=upstream, EXIT="exit 0")
        bad = await whimbrel.run(SPEC, NAME="bad", REPOSITORY=upstream, EXIT="exit 1")
        said = await whimbrel.starter("report", "bad")
        shown = await whimbrel.starter("status", "bad")
        found = where_found(home, CANARY.encode())
    assert good.outcome is Stage.DONE, good.reason
    run = good.handoffs[0].attempts[0].run
    assert run
    assert str(len(CANARY)) in run.tail
    assert bad.outcome is Stage.FAILED
    assert "the token is [secret], 15 long" in bad.reason
    assert CANARY not in said.out + said.err + shown.out + shown.err
    assert found == ["secrets/CANARY"]
