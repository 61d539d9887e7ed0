"""A head of the base in the merge queue: a checked batch of its own, between two others."""

import asyncio

from builders import REPOSITORY, a_branch, a_spec
from conftest import Stage as Theatre
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from world import World

from activities.contracts.children import CLOSE, ENQUEUE, PAUSE, QueueInput, QueueState
from activities.contracts.landing import Candidate
from activities.contracts.moving_base import BASE_MERGED, MERGE_BASE, BaseAnswer, MergeBase
from activities.contracts.news import QUEUE_NEWS, QueueNews
from activities.errors import BRANCH_MOVED
from tests.inbox import Inbox
from workflows import options
from workflows.merge_queue import MergeQueueWorkflow


async def a_queue(
    stage: Theatre, world: World, state: QueueState | None = None
) -> WorkflowHandle[MergeQueueWorkflow, QueueState]:
    branch = a_branch(world.name)
    asked = QueueInput(
        repository=REPOSITORY,
        branch=branch,
        spec=stage.blobs.put_model(world.name, a_spec(world.name)),
        phase="main",
        base=world.base,
        state=state or QueueState(),
    )
    id = options.queue_id(REPOSITORY.id, branch.name)
    queue = options.CONTROL
    return await stage.client.start_workflow(MergeQueueWorkflow.run, asked, id=id, task_queue=queue)


async def answers(migration: WorkflowHandle[Inbox, bool], count: int) -> list[BaseAnswer]:
    told = await migration.execute_update(Inbox.await_letters, args=[BASE_MERGED, count])
    return [BaseAnswer.model_validate(answer) for answer in told]


def a_candidate(world: World, task: str, **files: str) -> Candidate:
    changed = {f"{n}.py": content for n, content in files.items()}
    commit = world.commit({**world.tree(world.base), **changed}, (world.base,), task)
    return Candidate(
        migration=world.name,
        task=task,
        commit=commit,
        base=world.base,
        title=task,
        claims=tuple(changed),
        reply_to="nobody",
    )


async def test_it_goes_before_the_next_batch_and_candidates_of_older_commits_still_land(stage):
    world = stage.world("b-between", a="old", b="old")
    migration = await stage.inbox("migration/b-between")
    gate = world.hold("compose_batch")
    queue = await a_queue(stage, world)
    await queue.signal(ENQUEUE, a_candidate(world, "c1-0001", a="new"))
    await asyncio.wait_for(gate.reached.wait(), 20)
    head = world.move_base(c="plain")
    await queue.signal(MERGE_BASE, MergeBase(head=head, asking=1))
    await queue.signal(ENQUEUE, a_candidate(world, "c1-0002", b="new"))
    gate.open()
    [answer] = await answers(migration, 1)
    await queue.signal(CLOSE)
    assert (await queue.result()).landed == 2
    first, merge, second = world.chain()
    assert (answer.merged, answer.commit, answer.asking) == (True, merge, 1)
    assert world.commits[merge].parents == (first, head)
    assert world.landed() == {"c1-0001": first, "c1-0002": second}
    assert world.green == {"a.py": "new", "b.py": "new", "c.py": "plain"}


async def test_a_check_that_was_flaky_at_a_merge_of_the_base_is_told(stage):
    world = stage.world("b-flaky", a="old")
    migration = await stage.inbox("migration/b-flaky")
    head = world.move_base(c="flaky")
    queue = await a_queue(stage, world)
    await queue.signal(MERGE_BASE, MergeBase(head=head, asking=1))
    [answer] = await answers(migration, 1)
    await queue.signal(CLOSE)
    assert answer.merged
    assert (await queue.result()).flaky == {"unit": 1}
    [news] = await migration.execute_update(Inbox.await_letters, args=[QUEUE_NEWS, 1])
    assert QueueNews.model_validate(news).flaky == {"unit": 1}


async def test_one_that_asks_again_is_in_the_branch_already(stage):
    world = stage.world("b-again", a="old")
    migration = await stage.inbox("migration/b-again")
    head = world.move_base(c="plain")
    queue = await a_queue(stage, world, QueueState(base=MergeBase(head=head, asking=1)))
    await answers(migration, 1)
    await queue.signal(MERGE_BASE, MergeBase(head=head, asking=2))
    _, again = await answers(migration, 2)
    assert (again.asking, again.merged, again.commit) == (2, True, None)
    assert len(world.chain()) == 1
    await queue.signal(CLOSE)


async def test_a_branch_that_moved_under_it_is_composed_on_anew(stage):
    world = stage.world("b-moved", a="old")
    migration = await stage.inbox("migration/b-moved")
    world.failures["land"] = [ApplicationError("moved", type=BRANCH_MOVED)]
    head = world.move_base(c="plain")
    queue = await a_queue(stage, world, QueueState(base=MergeBase(head=head, asking=1)))
    [answer] = await answers(migration, 1)
    assert answer.merged
    assert len(world.asked("compose_base_merge")) == 2
    await queue.signal(CLOSE)


async def test_what_cannot_be_composed_or_checked_is_an_answer_and_stops_nothing(stage):
    world = stage.world("b-broken", a="old")
    migration = await stage.inbox("migration/b-broken")
    world.failures["run_checks"] = [ApplicationError("no such tool", type="PrepareFailed")]
    head = world.move_base(c="plain")
    queue = await a_queue(stage, world, QueueState(base=MergeBase(head=head, asking=1)))
    [answer] = await answers(migration, 1)
    assert not answer.merged
    assert answer.reasons == ("PrepareFailed in run_checks: no such tool",)
    await queue.signal(ENQUEUE, a_candidate(world, "c1-0001", a="new"))
    await queue.signal(CLOSE)
    assert (await queue.result()).landed == 1


async def test_nothing_is_merged_in_a_pause_and_a_newer_head_takes_its_place(stage):
    world = stage.world("b-paused", a="old")
    migration = await stage.inbox("migration/b-paused")
    queue = await a_queue(stage, world, QueueState(paused=True))
    for asking, content in enumerate(("one", "two"), 1):
        head = world.move_base(c=content)
        await queue.signal(MERGE_BASE, MergeBase(head=head, asking=asking))
    assert (await queue.query(MergeQueueWorkflow.state)).base == MergeBase(head=head, asking=2)
    assert not world.asked("compose_base_merge")
    await queue.signal(PAUSE, False)
    [answer] = await answers(migration, 1)
    assert (answer.asking, len(world.chain())) == (2, 1)
    await queue.signal(CLOSE)
