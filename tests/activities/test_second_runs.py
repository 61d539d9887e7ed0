"""Every activity may run twice: a killed worker's call is made again. Real git, real blobs."""

import pytest
from builders import COMMIT, a_branch, a_plan, a_row, a_spec, a_task
from repositories import commit_files, git, make_repository
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adapters.blobs import BlobMissing, BlobStore
from activities.adapters.hub import BranchOwned
from activities.adapters.hubs import Hubs
from activities.adapters.refs import BranchMoved, attempt_ref
from activities.adapters.transcripts import Transcripts
from activities.contracts.base import BlobRef, digest_of
from activities.contracts.landing import Candidate
from activities.contracts.landing_requests import ClaimBranch, ComposeBatch, FindLanded, Land
from activities.contracts.migration import Stage
from activities.contracts.moving_base import BaseSeen, ComposeBaseMerge, LookAtBase
from activities.contracts.report import MigrationReport
from activities.contracts.repository import Repository
from activities.contracts.requests import (
    GivenPlan,
    Handoffs,
    JoinHandoffs,
    LoadTask,
    MakePlan,
    TakeBase,
    WriteReport,
)
from activities.contracts.survey import Site, Survey, SurveyData, SurveyedFile
from activities.contracts.work import Handoff, PutBack, TaskStatus
from activities.contracts.work_requests import PutBackFiles, Rework
from activities.delivery import DeliveryActivities
from activities.errors import NEVER_MENDED_BY_WAITING, is_storage
from activities.integration import IntegrationActivities
from activities.planning import PlanningActivities
from activities.records import RecordActivities

NAME = "m"
WHEN = 1_750_000_000


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def repository(tmp_path):
    files = {"a.py": "old\n", "b.py": "old\n", "c.py": "old\n"}
    make_repository(tmp_path / "upstream", files)
    return Repository(url=str(tmp_path / "upstream"), id="app-1a2b3c4d")


@pytest.fixture
def hubs(tmp_path):
    return Hubs(tmp_path / "hubs")


@pytest.fixture
def integration(blobs, hubs):
    return IntegrationActivities(blobs, hubs)


@pytest.fixture
def planning(blobs, hubs):
    return PlanningActivities(blobs, hubs)


def twice(method, request):
    """What an activity answers; it must answer the same again."""
    first = ActivityEnvironment().run(method, request)
    assert ActivityEnvironment().run(method, request) == first
    return first


@pytest.fixture
def green(planning, integration, repository):
    """The base, pinned, and the green branch, owned."""
    base = twice(planning.take_base, TakeBase(name=NAME, repository=repository))
    asked = ClaimBranch(repository=repository, branch=a_branch(NAME), at=base.commit)
    assert twice(integration.claim_branch, asked).tip == base.commit
    return base.commit


@pytest.fixture
def changed(hubs, repository, green):
    """A checkpoint that changed two files."""
    hub = hubs.of(repository.id)
    ref = "refs/whimbrel/test"
    git(hub.path, "update-ref", ref, green)
    return commit_files(hub.path, {"a.py": "new\n", "b.py": "new\n"}, ref=ref)


def candidate_of(commit, base, task="c1-0001"):
    return Candidate(
        migration=NAME,
        task=task,
        commit=commit,
        base=base,
        title=task,
        claims=("a.py", "b.py"),
        reply_to="task",
    )


def composed(integration, blobs, repository, base, *candidates):
    asked = ComposeBatch(
        repository=repository,
        branch=a_branch(NAME),
        spec=blobs.put_model(NAME, a_spec(NAME)),
        phase="main",
        base=base,
        candidates=candidates,
        when=WHEN,
    )
    return twice(integration.compose_batch, asked)


def test_a_base_stays_pinned_when_upstream_moves(planning, repository, tmp_path, green):
    commit_files(tmp_path / "upstream", {"a.py": "moved\n"})
    again = ActivityEnvironment().run(
        planning.take_base, TakeBase(name=NAME, repository=repository)
    )
    assert again.commit == green


def test_a_branch_of_another_migration_is_refused_by_a_kind_that_is_not_retried(
    integration, repository, green
):
    theirs = a_branch(NAME).model_copy(update={"migration": "other"})
    with pytest.raises(BranchOwned, match=NAME):
        integration.claim_branch(ClaimBranch(repository=repository, branch=theirs, at=green))
    assert BranchOwned.__name__ in NEVER_MENDED_BY_WAITING


def test_candidate_batch_and_landing_are_the_same_when_made_again(
    integration, blobs, repository, green, changed
):
    candidate = candidate_of(changed, green)
    batch = composed(integration, blobs, repository, green, candidate)
    new = batch.prefixes[-1]
    asked = Land(repository=repository, branch=a_branch(NAME), old=batch.tip, new=new)
    assert twice(integration.land, asked).tip == new
    find = FindLanded(repository=repository, branch=a_branch(NAME), base=green)
    assert twice(integration.find_landed, find).tasks == {"c1-0001": new}
    again = composed(integration, blobs, repository, green, candidate)
    assert (again.members, again.landed) == ((), {"c1-0001": new})
    claim = ClaimBranch(repository=repository, branch=a_branch(NAME), at=green)
    assert twice(integration.claim_branch, claim).cycle == 1


def test_a_landing_on_a_branch_that_moved_lands_nothing(
    integration, blobs, repository, green, changed
):
    batches = [
        composed(
            integration,
            blobs,
            repository,
            green,
            candidate_of(changed, green, task=task),
        )
        for task in ("c1-0001", "c1-0002")
    ]
    first, second = (
        Land(repository=repository, branch=a_branch(NAME), old=green, new=batch.prefixes[-1])
        for batch in batches
    )
    integration.land(first)
    with pytest.raises(BranchMoved):
        integration.land(second)
    find = FindLanded(repository=repository, branch=a_branch(NAME), base=green)
    assert list(integration.find_landed(find).tasks) == ["c1-0001"]


def test_a_base_that_moved_is_looked_at_composed_and_landed_again_with_the_same_answers(
    integration, repository, tmp_path, green
):
    head = commit_files(tmp_path / "upstream", {"c.py": "moved\n"})
    where = {"repository": repository, "branch": a_branch(NAME), "base": green}
    look = LookAtBase(**where)
    found = twice(integration.look_at_base, look)
    assert (found.seen, found.head, found.stands_on) == (BaseSeen.MOVED, head, green)
    merge = ComposeBaseMerge(**where, head=head, when=WHEN)
    composed = twice(integration.compose_base_merge, merge)
    land = Land(repository=repository, branch=a_branch(NAME), old=composed.tip, new=composed.commit)
    assert twice(integration.land, land).tip == composed.commit
    assert twice(integration.look_at_base, look).seen is BaseSeen.SAME
    assert twice(integration.compose_base_merge, merge).commit is None


def test_files_put_back_are_as_in_the_base_and_the_rest_stays(
    integration, hubs, repository, green, changed
):
    asked = PutBackFiles(
        name=NAME,
        repository=repository,
        task="c1-0001",
        commit=changed,
        base=green,
        paths=("a.py",),
        when=WHEN,
    )
    commit = twice(integration.put_back, asked).commit
    show = [git(hubs.of(repository.id).path, "show", f"{commit}:{p}.py") for p in "abc"]
    assert show == [b"old\n", b"new\n", b"old\n"]


def test_work_is_carried_onto_another_base_or_its_conflicts_are_named(
    integration, hubs, repository, green, changed
):
    path = hubs.of(repository.id).path
    git(path, "update-ref", "refs/whimbrel/tip", green)
    tip = commit_files(path, {"c.py": "theirs\n"}, ref="refs/whimbrel/tip")
    clash = commit_files(path, {"a.py": "theirs\n"}, ref="refs/whimbrel/tip")
    asked = Rework(
        name=NAME,
        repository=repository,
        task="c1-0001",
        commit=changed,
        old_base=green,
        new_base=tip,
        when=WHEN,
    )
    moved = twice(integration.rework, asked).commit
    assert git(path, "rev-parse", f"{moved}^").decode().strip() == tip
    refused = twice(integration.rework, asked.model_copy(update={"new_base": clash}))
    assert (refused.commit, refused.conflict.reasons) == (None, ("a.py: contents",))


def a_survey(blobs, commit, *paths):
    data = SurveyData(
        commit=commit,
        phase="main",
        files=tuple(SurveyedFile(path=p, size=4, blob="b", sites=1) for p in paths),
        sites=tuple(Site(path=p, line=1, finder="regex") for p in paths),
    )
    ref = blobs.put_model(NAME, data)
    count = len(paths)
    return Survey(commit=commit, phase="main", data=ref, files=count, sites=count, tracked_files=3)


def test_a_plan_is_a_function_of_its_survey_and_a_bad_one_is_refused_by_kind(
    planning, blobs, repository, green
):
    spec = a_spec(NAME)
    asked = MakePlan(
        name=NAME,
        repository=repository,
        spec=blobs.put_model(NAME, spec),
        spec_digest=digest_of(spec),
        survey=a_survey(blobs, green, "a.py", "b.py"),
        cycle=1,
    )
    assert twice(planning.make_plan, asked).forecast.file_count == 2
    for_another_base = blobs.put_model(NAME, a_plan(NAME, COMMIT, a_task("c1-0001", "a.py")))
    with pytest.raises(ApplicationError) as refused:
        planning.make_plan(
            asked.model_copy(update={"given": GivenPlan(plan=for_another_base, bound=True)})
        )
    assert (refused.value.type, refused.value.non_retryable) == ("PlanRefused", True)


def test_records_are_reads_and_content_addressed_writes(blobs):
    records = RecordActivities(blobs)
    planned = {"title": "tests (1 file)", "sites": 3}
    handoff = Handoff(task="c1-0001", status=TaskStatus.LANDED, files=("a.py",))
    saved = blobs.put_model(NAME, handoff)
    one = a_row("c1-0001", state="landed")
    rows = (
        one.model_copy(update={"handoff": saved, "task": one.task.model_copy(update=planned)}),
        a_row("c1-0002", state="lost"),
    )
    joined = twice(records.join_handoffs, JoinHandoffs(name=NAME, rows=rows))
    first, second = blobs.get_model(joined, Handoffs).handoffs
    told = {"area": one.task.area, "spend": one.spend}
    assert first == handoff.model_copy(update={**planned, **told})
    assert (second.status, second.left) == (TaskStatus.LOST, ("c1-0002.py",))


def test_an_order_names_the_claimed_files_that_have_sites_and_no_others(blobs):
    records = RecordActivities(blobs)
    task = a_task("c1-0001", "a.py", "shared.py", sites=1)
    refs = {
        "spec": blobs.put_model(NAME, a_spec(NAME)),
        "plan": blobs.put_model(NAME, a_plan(NAME, COMMIT, task)),
    }
    found = (Site(path="a.py", line=1, finder="regex"), Site(path="b.py", line=1, finder="regex"))
    survey = SurveyData(commit=COMMIT, phase="main", files=(), sites=found, tracked_files=3)
    load = LoadTask(phase="main", task="c1-0001", survey=blobs.put_model(NAME, survey), **refs)
    assert twice(records.load_task, load).bearing == ("a.py",)
    assert records.load_task(load.model_copy(update={"survey": None})).bearing == task.claims


def test_a_lost_blob_is_waited_for(blobs):
    records = RecordActivities(blobs)
    gone = BlobRef(migration=NAME, sha256="0" * 64, size=1)
    with pytest.raises(BlobMissing):
        records.load_task(LoadTask(spec=gone, plan=gone, phase="main", task="c1-0001"))
    assert BlobMissing.__name__ not in NEVER_MENDED_BY_WAITING
    assert is_storage(BlobMissing.__name__, "")


def report_of(repository, blobs, base):
    return WriteReport(
        name=NAME,
        spec=blobs.put_model(NAME, a_spec(NAME)),
        repository=repository,
        branch=a_branch(NAME),
        base=base,
        tip=base,
        outcome=Stage.DONE,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:01+00:00",
        sites_at_start=1,
        sites_left=0,
        cycles=1,
        handoffs=(),
    )


def test_a_report_written_twice_is_the_same_report_and_has_what_landed(
    blobs, hubs, integration, repository, green, changed
):
    delivery = DeliveryActivities(
        blobs, hubs, lambda report: report.name, "strict", lambda *_: {}, Transcripts(blobs)
    )
    batch = composed(integration, blobs, repository, green, candidate_of(changed, green))
    tip = batch.prefixes[-1]
    moved = Land(repository=repository, branch=a_branch(NAME), old=green, new=tip)
    ActivityEnvironment().run(integration.land, moved)
    written = twice(delivery.write_report, report_of(repository, blobs, green))
    assert blobs.get(written.markdown) == NAME.encode()
    [landed] = blobs.get_model(written.report, MigrationReport).landings
    assert (landed.commit, landed.tasks, landed.files) == (tip, ("c1-0001",), 2)


def test_a_migration_that_ended_before_it_had_a_branch_has_a_report(blobs, hubs, repository):
    delivery = DeliveryActivities(
        blobs, hubs, lambda report: report.name, "strict", lambda *_: {}, Transcripts(blobs)
    )
    written = twice(delivery.write_report, report_of(repository, blobs, COMMIT))
    assert blobs.get_model(written.report, MigrationReport).landings == ()


def test_a_report_lists_under_which_ref_the_work_is_that_did_not_land(
    blobs, hubs, repository, green, changed
):
    delivery = DeliveryActivities(
        blobs, hubs, lambda report: report.name, "strict", lambda *_: {}, Transcripts(blobs)
    )
    hub = hubs.of(repository.id)
    empty = hub.write_commit(green, [green], "c1-0001\n", 0)
    for migration, task, attempt, commit in (
        (NAME, "c1-0001", "0-2-0", changed),
        (NAME, "c1-0001", "0-10-0", changed),
        (NAME, "c1-0001", "1-1-0", empty),
        (NAME, "c1-0002", "0-1-0", changed),
        (NAME, "c1-0003", "0-1-0", changed),
        (NAME, "c1-0004", "0-1-0", empty),
        (f"fleet/{NAME}", "c1-0001", "2-1-0", changed),
        (f"{NAME}-2", "c1-0001", "2-1-0", changed),
    ):
        hub.keep(attempt_ref("h", migration, task, attempt), commit)
    handoffs = Handoffs(
        handoffs=(
            Handoff(task="c1-0001", status=TaskStatus.CANCELLED),
            Handoff(task="c1-0002", status=TaskStatus.LANDED, landed=green),
            Handoff(
                task="c1-0003",
                status=TaskStatus.PARTIAL,
                landed=green,
                put_back=(PutBack(path="b.py", reason="red"),),
            ),
            Handoff(task="c1-0004", status=TaskStatus.SKIPPED),
        )
    )
    told = {"handoffs": (blobs.put_model(NAME, handoffs),)}
    request = report_of(repository, blobs, green).model_copy(update=told)
    written = twice(delivery.write_report, request)
    kept = blobs.get_model(written.report, MigrationReport).kept
    assert [(work.task, work.ref, work.commit, work.files) for work in kept] == [
        ("c1-0001", attempt_ref("h", NAME, "c1-0001", "0-10-0"), changed, 2),
        ("c1-0003", attempt_ref("h", NAME, "c1-0003", "0-1-0"), changed, 2),
    ]
