"""Runs the checks of a spec on a clean checkout of a commit and keeps what they said.

Results are write-once records, keyed by everything that determines them: the check, its expanded
lists, the tree (or all of it that the check covers), the environment. So a base is measured once,
and a retry of an activity finds what its first run recorded. `fresh` numbers a repetition.
"""

import asyncio
from collections.abc import Mapping, Sequence

from pathspec import GitIgnoreSpec

from activities.adapters.blobs import BlobStore
from activities.adapters.check_calls import call_digest, command_of, lists_of
from activities.adapters.check_trees import CheckTrees
from activities.adapters.commands import Commands, Order, Ran
from activities.adapters.filling import DISK
from activities.adapters.finders import in_scope
from activities.adapters.hub import Hub
from activities.adapters.orders import named_environment
from activities.adapters.prepare_failed import PrepareFailed
from activities.adapters.result_lines import MAX_BYTES
from activities.adapters.results import parse
from activities.adapters.selection import covered_digest, touched
from activities.adapters.tree_source import TreeSource
from activities.contracts.check_forms import ResultKind
from activities.contracts.evidence import NotVerifiable, ResultSet
from activities.contracts.spec import Check, Command, MigrationSpec, seconds, size_bytes

MAX_MESSAGES = 200
TAIL = 1500
OUTPUT_KEPT = 1 << 20
LACKING = ("requires", "toolchain", "mounts")
"""Steps of preparing an environment that fail for what the host has not got."""


class Checker:
    """One host's way to measure trees."""

    def __init__(self, blobs: BlobStore, trees: CheckTrees, commands: Commands) -> None:
        self._blobs = blobs
        self._trees = trees
        self._commands = commands

    async def results(
        self,
        hub: Hub,
        spec: MigrationSpec,
        name: str,
        commit: str,
        paths: Sequence[str],
        *,
        whole: bool,
        fresh: int = 0,
        exactly: bool = False,
    ) -> ResultSet | None:
        """What check `name` says about a commit; None when its list is empty there.

        `whole`: the check's `whole` stands for the list, as at landing, phase and end. `exactly`:
        measured on this very tree, whatever the check says that it covers. Raises NotVerifiable
        when this worker has not got what the check needs.
        """
        check = spec.checks[name]
        lists = await asyncio.to_thread(lists_of, hub, spec, check, commit, paths)
        run = command_of(check, lists, whole=whole)
        if run is None:
            return None
        try:
            return await self._kept(hub, spec, name, run, commit, lists, fresh, exactly)
        except PrepareFailed as failure:
            if failure.step in LACKING:
                raise NotVerifiable(str(failure)) from failure
            raise

    async def whole_run(
        self, hub: Hub, spec: MigrationSpec, name: str, commit: str
    ) -> ResultSet | None:
        """What a check says about a commit as a whole, whatever a task's paths are."""
        return await self.results(hub, spec, name, commit, (), whole=True)

    def touched(
        self, hub: Hub, spec: MigrationSpec, names: Sequence[str], old: str, new: str
    ) -> list[str]:
        """Those of the checks that the change between two commits needs; see selection.py."""
        return touched(spec, names, [entry.path for entry in hub.diff(old, new)])

    def phase_paths(
        self, hub: Hub, spec: MigrationSpec, phase: str, base: str, commit: str
    ) -> list[str]:
        """All of a phase: what the branch changed since the base within the phase's patterns.

        Read from git, so that a migration which is started again knows what landed before.
        """
        rules = spec.phase(phase)
        changed = [entry.path for entry in hub.diff(base, commit)]
        beside = GitIgnoreSpec.from_lines((*rules.claims, *rules.creates))
        sites = in_scope(changed, rules.sites)
        return sorted({*sites, *(path for path in changed if beside.match_file(path))})

    async def _kept(
        self,
        hub: Hub,
        spec: MigrationSpec,
        name: str,
        run: Command,
        commit: str,
        lists: Mapping[str, Sequence[str]],
        fresh: int,
        exactly: bool,
    ) -> ResultSet | None:
        """The recorded results, measured now if nobody has yet."""
        check = spec.checks[name]
        named = named_environment(spec, check.environment)
        tree = await asyncio.to_thread(hub.tree, commit)
        environment = await self._commands.environment_key(named)
        digest = call_digest(spec, check, run, lists)
        keys = [f"result/{digest}/{tree}/{environment}/{fresh}"]
        if check.covers:
            seen = await asyncio.to_thread(covered_digest, hub, tree, check, named and named[1])
            # What is measured stands for its own tree too, whoever asked.
            keys.insert(exactly, f"result/{digest}/{seen}/{environment}/{fresh}")
        kept = await asyncio.to_thread(self._recorded, spec.name, keys[0])
        if kept is not None:
            return kept
        measured = await self._measure(hub, spec, name, run, commit, tree, lists, environment)
        if measured and measured.ended == DISK:
            return measured  # another host or a larger disk may have the room
        for key in reversed(keys):
            kept = await asyncio.to_thread(self._recorded, spec.name, key, measured)
        return kept

    def _recorded(
        self, migration: str, key: str, measured: ResultSet | None = None
    ) -> ResultSet | None:
        """What is recorded, after `measured` was unless somebody was faster."""
        if measured is None:
            kept = self._blobs.find(migration, key)
        else:
            kept = self._blobs.put_once(migration, key, measured.model_dump_json().encode())
        return ResultSet.model_validate_json(kept) if kept is not None else None

    async def _measure(
        self,
        hub: Hub,
        spec: MigrationSpec,
        name: str,
        run: Command,
        commit: str,
        tree: str,
        lists: Mapping[str, Sequence[str]],
        environment: str,
    ) -> ResultSet | None:
        check = spec.checks[name]
        leased = await asyncio.to_thread(self._trees.lease, hub.path, hub.path.stem, commit)
        finished = False
        try:
            ran = await self._commands.run(
                Order(
                    run=run,
                    tree=leased.path,
                    lists=lists,
                    words={
                        "base": commit,
                        "repo.name": spec.repository_name,
                        "repo.base": spec.base,
                    },
                    environment=named_environment(spec, check.environment),
                    source=TreeSource(hub, commit),
                    split=False,
                    batch=check.batch,
                    results_from=check.results_from,
                    env=check.env,
                    dir=check.dir,
                    timeout=seconds(check.timeout),
                    memory=size_bytes(spec.limits.memory),
                    output_limit=_output_limit(check),
                )
            )
            finished = ran is None or ran.ended == "exit"
        finally:
            await asyncio.to_thread(self._trees.release, leased, reusable=finished)
        if ran is None:
            return None
        known = set(await asyncio.to_thread(hub.paths, commit))
        return await asyncio.to_thread(self._parsed, spec, name, ran, tree, environment, known)

    def _parsed(
        self,
        spec: MigrationSpec,
        name: str,
        ran: Ran,
        tree: str,
        environment: str,
        known: set[str],
    ) -> ResultSet:
        check = spec.checks[name]
        parsed = parse(
            check.results,
            exit=ran.exit,
            ended=ran.ended,
            output=ran.output,
            reports=ran.reports,
            promised=bool(check.results_from),
            lost=_lost(check, ran),
            known=known,
            ids=check.ids,
        )
        return ResultSet(
            tree=tree,
            check=name,
            environment=environment,
            exit=ran.exit,
            ended=ran.ended,
            parsed=parsed.parsed,
            passed=parsed.passed,
            failed=parsed.failed,
            skipped=parsed.skipped,
            messages=dict(list(parsed.messages.items())[:MAX_MESSAGES]),
            files=parsed.files,
            seconds=ran.seconds,
            output=self._blobs.put(spec.name, ran.output[-OUTPUT_KEPT:]),
            tail=ran.output[-TAIL:].decode("utf-8", "replace"),
        )


def _output_limit(check: Check) -> int:
    """Results that are read from the output must all be there; beyond this it is unreadable."""
    from_output = check.results not in (ResultKind.EXIT, ResultKind.JUNIT)
    return MAX_BYTES if from_output else OUTPUT_KEPT


def _lost(check: Check, ran: Ran) -> str:
    """Why the reports of a run are not all of them; of several calls, each has to write some."""
    in_files = check.results is ResultKind.JUNIT or check.results_from
    if in_files and ran.calls > 1 and ran.silent_calls:
        return f"{ran.silent_calls} of {ran.calls} calls wrote no results file"
    return ran.reports_lost
