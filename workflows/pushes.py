"""What others pushed to the green branch is checked as a whole before anything lands on it.

Held against the last commit of ours: green, it is in the branch; red, or where the branch was
rewritten, nothing lands before a person sets the branch back or accepts what is there. So what is
red there is never taken for red before.
"""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts.children import QueueInput
from activities.contracts.pushes import PUSH_SEEN, FindPush, Push, PushSeen, PushWord, SettlePush
from activities.errors import BRANCH_MOVED
from activities.integration import IntegrationActivities
from workflows.landing_checks import SawFlaky, settled_checks
from workflows.options import GIT, LOOK_AT_PUSH, migration_id
from workflows.telling import tell

HELD = "its checks held, so it stays"
ACCEPTED = "a person accepted it"
SET_BACK = (
    "a person had it set back; what was pushed is kept in the hub under refs/whimbrel/pushed/"
)
GONE = "the branch is where it was again"


class Pushes:
    """What one queue knows of them, and does; the state travels with the queue's."""

    def __init__(self, queue: QueueInput, saw_flaky: SawFlaky) -> None:
        self._in = queue
        self._saw_flaky = saw_flaky
        self.state = queue.state.pushes

    @property
    def hold(self) -> bool:
        """Whether nothing may land."""
        return self.state.held is not None

    def sends_home(self, closing: bool) -> bool:
        """Whether who waits to land waits no longer: nobody will decide in this life."""
        return self.hold and (closing or self.state.drop)

    async def until(self, is_due: Callable[[], bool]) -> None:
        """Until there is something to do. What waits for a person is looked at now and again:
        somebody may have mended it."""
        again = LOOK_AT_PUSH if self.hold else None
        try:
            await workflow.wait_condition(is_due, timeout=again, timeout_summary="look again")
        except TimeoutError:
            self.ask()

    def ask(self) -> None:
        """Perhaps somebody pushed."""
        self._set(look=True)

    def saw(self, push: Push | None) -> None:
        """There is one, if so."""
        if push:
            self.ask()

    def hear(self, word: PushWord) -> None:
        """What a person says about the one that waits."""
        self._set(**{"drop": True} if word.drop else {"word": word, "look": True})

    async def look(self) -> None:
        """Finds out whether there is a push, and settles it if it may be. The migration is told of
        what was found, even if that is nothing: it may wait for it."""
        word = self.state.word
        self._set(look=False)
        self._set(held=await self._look(self.state.held, word))
        if self.state.word == word:
            self._set(word=None)

    def _set(self, **fields: object) -> None:
        self.state = self.state.model_copy(update=fields)

    async def _look(self, held: PushSeen | None, word: PushWord | None) -> PushSeen | None:
        """What waits for a person now."""
        while True:
            push = await self._find()
            if push is None:
                await self._tell(held.model_copy(update={"settled": GONE}) if held else None)
                return None
            seen = held if held and held.push == push else await self._seen(push)
            said = word is not None and word.head == push.head
            back = said and word is not None and word.back
            if seen.reasons and not said:
                await self._tell(seen)
                return seen
            if await self._settle(push, back):
                settled = SET_BACK if back else ACCEPTED if said else HELD
                await self._tell(seen.model_copy(update={"settled": settled}))
                return None

    async def _seen(self, push: Push) -> PushSeen:
        if push.head is None:
            return PushSeen(push=push, reasons=("the branch is gone",))
        if push.rewritten:
            why = "it does not go on from the last commit that landed"
            return PushSeen(push=push, reasons=(why,))
        await self._tell(PushSeen(push=push))
        what = f"of what was pushed, {push.head[:12]}"
        evidence = await settled_checks(self._in, self._saw_flaky, push.head, push.ours, what)
        red = evidence.reasons[:20] or ("its checks are red",)
        return PushSeen(push=push, reasons=() if evidence.passed else red)

    async def _find(self) -> Push | None:
        found = await workflow.execute_activity_method(
            IntegrationActivities.find_push,
            FindPush(repository=self._in.repository, branch=self._in.branch),
            summary=f"did somebody push to {self._in.branch.name}?",
            **GIT,
        )
        return found.push

    async def _settle(self, push: Push, back: bool) -> bool:
        """False: the branch is elsewhere by now."""
        try:
            await workflow.execute_activity_method(
                IntegrationActivities.settle_push,
                SettlePush(
                    repository=self._in.repository,
                    branch=self._in.branch,
                    push=push,
                    back=back,
                ),
                summary="set the branch back" if back else "take what was pushed for ours",
                **GIT,
            )
        except ActivityError as error:
            if getattr(error.cause, "type", None) != BRANCH_MOVED:
                raise
            return False
        return True

    async def _tell(self, seen: PushSeen | None) -> None:
        await tell(migration_id(self._in.branch.migration), PUSH_SEEN, seen)
