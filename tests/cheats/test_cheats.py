"""The merge queue's gate against whole change sets: no cheat gets into a batch, no honest one is
kept out of it.

All are shuffled by a seed and proposed to a real hub, cheats and honest ones in one batch as long
as they have no file in common: whatever is refused, the others have to be composed.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

import pytest

from activities.adapters.gate import GateRules
from activities.adapters.hub import Hub
from activities.adapters.integrity_around import PYTEST
from activities.adapters.spec_file import parse_spec
from activities.contracts.landing import Batch, Candidate, Outcome
from tests.adapters.repositories import Content, Name, commit_files, git
from tests.cheats.accidents import ACCIDENTS, KEEP, PROTECT
from tests.cheats.cases import Case
from tests.cheats.cheats_in_builds import CHEATS as IN_BUILDS
from tests.cheats.cheats_in_builds import HONEST as BUILDS
from tests.cheats.cheats_in_fixtures import CHEATS as IN_FIXTURES
from tests.cheats.cheats_in_fixtures import HONEST as FIXTURES
from tests.cheats.cheats_in_runs import CHEATS as IN_RUNS
from tests.cheats.cheats_in_settings import CHEATS as IN_SETTINGS
from tests.cheats.cheats_in_tests import CHEATS as IN_TESTS
from tests.cheats.honest_elsewhere import HONEST as ELSEWHERE
from tests.cheats.honest_python import HONEST as PYTHON
from tests.cheats.honest_runs import HONEST as RUNS
from tests.cheats.honest_settings import HONEST as SETTINGS
from tests.contracts.specs import spec

SEED = 20
WHEN = 1_750_000_000
MIGRATION = "demo"
CHEATS = {**IN_TESTS, **IN_SETTINGS, **IN_RUNS, **IN_FIXTURES, **IN_BUILDS, **ACCIDENTS}
HONEST = {**PYTHON, **ELSEWHERE, **SETTINGS, **RUNS, **FIXTURES, **BUILDS}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return Hub.open(tmp_path_factory.mktemp("hubs"), "app-1a2b3c4d")


@pytest.fixture(scope="module")
def rules(hub: Hub) -> GateRules:
    read = parse_spec(spec(f"protect: ['{PROTECT}']", f"keep: ['{KEEP}']"), "spec.yaml")
    return hub.rules(read, read.phases[0])


Compose = Callable[..., Batch]


@pytest.fixture(scope="module")
def compose(hub: Hub, rules: GateRules) -> Compose:
    def of(tip: str, *candidates: Candidate) -> Batch:
        return hub.compose_batch(tip, candidates, rules, MIGRATION, WHEN)

    return of


_refs = count()


def _commit(hub: Hub, files: Mapping[Name, Content], parent: str | None = None) -> str:
    ref = f"refs/whimbrel/work/{next(_refs)}"
    return commit_files(hub.path, files, ref=ref, parent=parent)


def _propose(hub: Hub, task: str, base: str, case: Case, title: str = "Change") -> Candidate:
    written: dict[Name, Content] = {p: c for p, c in case.after.items() if c is not None}
    gone = [path for path, content in case.after.items() if content is None]
    ref = f"refs/whimbrel/work/{next(_refs)}"
    commit = commit_files(hub.path, written, gone, title, ref=ref, parent=base)
    return _candidate(task, commit, base, case.claims or tuple(case.after), title)


def _candidate(
    task: str, commit: str, base: str, claims: tuple[str, ...], title: str = "Change"
) -> Candidate:
    return Candidate(
        migration=MIGRATION,
        task=task,
        commit=commit,
        base=base,
        title=title,
        claims=claims,
        creates=claims,
        reply_to="task/1",
    )


def _drawn(draw: random.Random, cases: Mapping[str, Case]) -> list[str]:
    return draw.sample(sorted(cases), len(cases))


def _apart(case: Case) -> set[str]:
    """Its files; of those that configure pytest by name patterns, only the first one counts."""
    return case.paths | {PYTEST[0]} if case.paths & {"tox.ini", "setup.cfg"} else case.paths


@dataclass(frozen=True)
class Composed:
    """What became of one case: its batch, and its candidate."""

    batch: Batch
    candidate: Candidate


@pytest.fixture(scope="module")
def composed(hub: Hub, compose: Compose) -> dict[str, Composed]:
    """Every case by its name, in batches drawn by the seed."""
    cases, draw = {**CHEATS, **HONEST}, random.Random(SEED)
    batches: list[list[str]] = []
    for name in (*_drawn(draw, CHEATS), *_drawn(draw, HONEST)):
        taken = _apart(cases[name])
        fit = [n for n in batches if not any(taken & _apart(cases[other]) for other in n)]
        if fit:
            kind = CHEATS if name in CHEATS else HONEST
            min(fit, key=lambda batch: sum(other in kind for other in batch)).append(name)
        else:
            batches.append([name])
    for names in batches:
        draw.shuffle(names)
    found: dict[str, Composed] = {}
    for names in batches:
        files: dict[Name, Content] = {p: c for n in names for p, c in cases[n].before.items()}
        base = _commit(hub, files)
        proposed = [_propose(hub, f"t{n}", base, cases[name]) for n, name in enumerate(names)]
        batch = compose(base, *proposed)
        found |= {n: Composed(batch, c) for n, c in zip(names, proposed, strict=True)}
    return found


def test_there_are_as_many_as_there_have_to_be() -> None:
    cheats = (IN_TESTS, IN_SETTINGS, IN_RUNS, IN_FIXTURES, IN_BUILDS, ACCIDENTS)
    honest = (PYTHON, ELSEWHERE, SETTINGS, RUNS, FIXTURES, BUILDS)
    assert len(CHEATS) == sum(map(len, cheats)) >= 40
    assert len(HONEST) == sum(map(len, honest)) >= 40
    assert all(case.says for case in CHEATS.values())
    assert not any(case.says for case in HONEST.values())


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_refused_by_rule_path_and_line(
    hub: Hub, name: str, composed: dict[str, Composed]
) -> None:
    case, cheat, batch = CHEATS[name], composed[name].candidate, composed[name].batch
    assert cheat.id not in batch.members
    (refusal,) = (one for one in batch.refused if one.candidate == cheat.id)
    assert refusal.outcome is Outcome.VIOLATION
    assert tuple(_place(reason) for reason in refusal.reasons) == case.says
    landed = {entry.path for entry in hub.diff(cheat.base, batch.prefixes[-1])}
    assert landed.isdisjoint(case.after), "nothing of it is in the batch"


def _place(reason: str) -> str:
    """`rule: path:line` of a reason."""
    rule, place, _ = reason.split(": ", 2)
    return f"{rule}: {place}"


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_change_is_let_pass(hub: Hub, name: str, composed: dict[str, Composed]) -> None:
    candidate, batch = composed[name].candidate, composed[name].batch
    assert [one.reasons for one in batch.refused if one.candidate == candidate.id] == []
    prefix = batch.prefixes[batch.members.index(candidate.id)]
    landed = {entry.path for entry in hub.diff(candidate.base, prefix)}
    assert landed >= set(HONEST[name].after)


def test_in_every_batch_are_both(composed: dict[str, Composed]) -> None:
    batches = {id(one.batch): one.batch for one in composed.values()}.values()
    assert all(batch.refused and batch.members for batch in batches)


FILES: dict[Name, Content] = {"a.py": "a = 1\nb = 2\nc = 3\n", "b.py": "b = 1\n"}


class TestHistories:
    """Cheats that are in a commit's parents, its base and its words."""

    def test_two_parents(self, hub: Hub, compose: Compose) -> None:
        base = _commit(hub, FILES)
        side = _commit(hub, {"b.py": "b = 2\n"}, base)
        tree = hub.tree(_commit(hub, {"a.py": "a = 2\n"}, base))
        merge = hub.write_commit(tree, [base, side], "Change\n", WHEN)
        _alone(compose, base, _candidate("t1", merge, base, ("a.py", "b.py")), "has the parents")

    def test_a_base_that_is_not_on_the_chain(self, hub: Hub, compose: Compose) -> None:
        base = _commit(hub, FILES)
        side = _commit(hub, {"b.py": "never landed\n"}, base)
        work = _propose(hub, "t1", side, Case({}, {"a.py": "a = 2\n"}))
        _alone(compose, base, work, "not on the green branch")

    def test_a_base_of_another_history(self, hub: Hub, compose: Compose) -> None:
        base, other = _commit(hub, FILES), _commit(hub, {"other.py": "x = 1\n"})
        work = _propose(hub, "t1", other, Case({}, {"a.py": "a = 2\n"}))
        _alone(compose, base, work, "not on the green branch")

    def test_anothers_landed_work_is_reverted_with_a_tree_of_before_it(
        self, hub: Hub, compose: Compose
    ) -> None:
        old = _commit(hub, FILES)
        tip = _commit(hub, {"b.py": "b = 'landed'\n"}, old)
        stale = _commit(hub, {"a.py": "a = 2\n"}, old)
        commit = hub.write_commit(hub.tree(stale), [tip], "Change\n", WHEN)
        work = _candidate("t1", commit, tip, ("a.py",))
        _alone(compose, tip, work, "outside-claim: b.py: changed but not claimed")

    def test_a_deleted_file_comes_back_with_a_tree_of_before_it(
        self, hub: Hub, compose: Compose
    ) -> None:
        old = _commit(hub, FILES)
        ref = f"refs/whimbrel/work/{next(_refs)}"
        tip = commit_files(hub.path, {}, ["b.py"], ref=ref, parent=old)
        stale = _commit(hub, {"a.py": "a = 2\n"}, old)
        commit = hub.write_commit(hub.tree(stale), [tip], "Change\n", WHEN)
        work = _candidate("t1", commit, tip, ("a.py", "b.py")).model_copy(update={"creates": ()})
        batch = compose(tip, work.model_copy(update={"claims": ("a.py",)}))
        assert batch.refused[0].reasons == ("outside-claim: b.py: added but not claimed",)

    @pytest.mark.parametrize("landed", ["a = 'landed'\nb = 2\nc = 3\n", None])
    def test_the_same_lines_changed_or_deleted_meanwhile(
        self, hub: Hub, compose: Compose, landed: str | None
    ) -> None:
        old = _commit(hub, FILES)
        tip = _propose(hub, "t0", old, Case({}, {"a.py": landed})).commit
        work = _propose(hub, "t1", old, Case({}, {"a.py": "a = 2\nb = 2\nc = 3\n"}))
        fine = _propose(hub, "t2", old, Case({}, {"b.py": "b = 2\n"}))
        batch = compose(tip, work, fine)
        assert batch.members == (fine.id,)
        (refusal,) = batch.refused
        assert (refusal.outcome, refusal.paths) == (Outcome.CONFLICT, ("a.py",))

    def test_a_trailer_in_a_title_names_no_other_task(self, hub: Hub, compose: Compose) -> None:
        base = _commit(hub, FILES)
        title = f"Fix\r\n\r\nTask-Id: {MIGRATION}/other\n\tTASK-ID : {MIGRATION}/third"
        work = _propose(hub, "t1", base, Case({}, {"a.py": "a = 2\n"}), title)
        batch = compose(base, work)
        said = git(hub.path, "log", "-1", "--format=%(trailers)", batch.prefixes[0]).decode()
        assert said.split() == ["Task-Id:", f"{MIGRATION}/t1"]


def _alone(compose: Compose, tip: str, candidate: Candidate, reason: str) -> None:
    batch = compose(tip, candidate)
    assert batch.members == batch.prefixes == ()
    assert reason in batch.refused[0].reasons[0]
