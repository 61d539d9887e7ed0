"""`make corpus`, `make corpus-scale`: migrates real code in real languages, one after another, and
holds what came of each against what has to.

State, sources and environments are kept in WHIMBREL_HOME; a migration that was interrupted goes on.
Names choose some of them. Exit codes: 0 everything as expected, 1 not, 2 unknown name.
"""

import sys
from collections.abc import Mapping, Sequence

from activities.adapters.releases import FetchFailed
from cli import boundary
from cli.boundary import Code, Refused, give
from cli.render import table
from cli.session import session, warn_if_guest
from tests.corpus.running import Ran, run
from tests.corpus.table import CORPUS, SCALE, Migration, Outcome

COLUMNS = ("migration", "", "stage", "tasks", "landed", "files", "bounced", "needs person", "stays")


async def corpus(words: Sequence[str]) -> int:
    """Runs them; prints what came of them and where that is not what was expected."""
    migrations = _chosen(words)
    ran: list[Ran] = []
    wrong: list[str] = []
    async with session(local=True) as connected:
        warn_if_guest(connected, local=True)
        for name, migration in migrations.items():
            try:
                ran.append(await run(connected, name, migration, quiet=False))
            except (FetchFailed, Refused, AssertionError) as failed:
                wrong.append(f"{name}: {failed}")
    give(table((*COLUMNS, "minutes"), [row for each in ran for row in _rows(each)]))
    wrong += [f"{each.name}: {deviation}" for each in ran for deviation in each.deviations]
    for each in ran:
        for check, (before, after) in each.seen.results.items():
            give(f"{each.name}: {check}: {before} before, {after} after")
    give("\n".join(f"DEVIATION {line}" for line in wrong) or "No deviation.")
    return Code.NOT_DONE if wrong else Code.OK


def _rows(ran: Ran) -> list[list[str]]:
    seen = _row(ran.seen)
    return [
        [ran.name, "seen", *seen, f"{ran.minutes:.1f}"],
        ["", "expected", *_row(ran.expected), ""],
    ]


def _row(outcome: Outcome) -> list[str]:
    stays = "" if outcome.stays is None else "{} in {} files".format(*outcome.stays)
    counts = (outcome.tasks, outcome.landed, outcome.files, outcome.bounced, len(outcome.left))
    return [outcome.stage.value, *map(str, counts), stays]


def _chosen(words: Sequence[str]) -> Mapping[str, Migration]:
    known = {**CORPUS, **SCALE}
    names = [word for word in words if word != "--scale"]
    if unknown := sorted(set(names) - set(known)):
        raise Refused(Code.USAGE, f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    return {name: known[name] for name in names or (SCALE if "--scale" in words else CORPUS)}


if __name__ == "__main__":
    stopped = "Stopped; nothing is lost. The same command goes on."
    raise SystemExit(boundary.run(corpus(sys.argv[1:]), stopped))
