"""What `status` says of a migration that somebody closed from outside."""

import asyncio

from cli.trouble import stopped_short
from workflows import options


async def test_a_terminated_migration_is_said_to_be_one(stage):
    world = stage.world("closed", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    id = options.migration_id(world.name)
    assert await stopped_short(stage.client, id) == ""
    await handle.terminate("a blob is gone")
    assert (await stopped_short(stage.client, id)).startswith("terminated; start it again")
    for child in (options.area_id(world.name, "root"), options.task_id(world.name, "c1-0001", 0)):
        await stage.client.get_workflow_handle(child).terminate()
    gate.open()
    assert await stopped_short(stage.client, "migration/nobody") == ""
