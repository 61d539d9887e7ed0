"""Which commit of a green branch is the last of ours: the branch is a ref that others can move.

Beside it stand two refs of our own: `landing`, where it is about to go, and `landed`, where it
went. `landing` is written first, the branch and `landed` after it. So whoever dies between them
leaves the branch at `landed`, or at the `landing` that continues it; everything else is somebody
else's push.
"""

from activities.adapters.fault_points import Effect, around
from activities.adapters.git import Git, printable
from activities.adapters.refs import ABSENT, OURS, BranchMoved, References, update
from activities.contracts.pushes import SHORT, Push

MAX_TOLD = 200
"""Characters of what a commit says of itself."""


def last_of_ours(refs: References, branch: str) -> str | None:
    """The branch's last commit that we put there; None: nobody has claimed such a branch."""
    head, landed = refs.ref(_head(branch)), refs.ref(_landed(branch))
    if landed is None or head == landed:
        return head
    landing = refs.ref(_landing(branch))
    goes_on = landing is not None and refs.parents(landing)[:1] == (landed,)
    if landing and goes_on and head and refs.on_chain(head, {landing}, until=landed):
        return landing
    return landed


def begin(git: Git, refs: References, branch: str, at: str) -> None:
    """A branch of ours that is not there yet; one that is, as far as we have never moved it, is
    taken as it is. `git` is that of whoever writes."""
    head, landed = refs.ref(_head(branch)), refs.ref(_landed(branch))
    if head is None and landed is None:
        update(git, _head(branch), at, ABSENT, Effect.REF_BRANCH)
    if landed is None:
        update(git, _landed(branch), head or at, ABSENT, Effect.REF_LANDED)


def names(branch: str) -> tuple[str, ...]:
    """All refs that moving it writes."""
    return _head(branch), _landing(branch), _landed(branch)


def land(refs: References, branch: str, old: str, new: str) -> str:
    """Moves the branch from `old`, the last of ours, to `new`, whose first parent it is; returns
    its tip. Harmless when `new` is on the first-parent chain of ours already.

    Raises BranchMoved when the branch is not at `old`: nothing lands on what others pushed.
    """
    if refs.parents(new)[:1] != (old,):
        raise ValueError(f"{new} does not continue {old}")
    with refs.writing(names(branch)) as git:
        tip, head = last_of_ours(refs, branch) or old, refs.ref(_head(branch))
        if refs.on_chain(tip, {new}, until=old):
            return tip
        if not head == tip == old:
            raise BranchMoved(branch, head or "nothing")
        landing, landed = refs.ref(_landing(branch)), refs.ref(_landed(branch))
        update(git, _landing(branch), new, landing or ABSENT, Effect.REF_LANDING)
        # In this order: see above. Both or, where git dies between them, the branch alone.
        lines = f"update {_head(branch)}\0{new}\0{old}\0"
        lines += f"update {_landed(branch)}\0{new}\0{landed or ABSENT}\0"
        with around(Effect.REF_LAND):
            git.run("update-ref", "--stdin", "-z", stdin=lines.encode())
    return new


def find_push(refs: References, branch: str) -> Push | None:
    """What somebody else made of the branch; None: it is where we left it."""
    head, ours = refs.ref(_head(branch)), last_of_ours(refs, branch)
    if ours is None or head == ours:
        return None
    if head is None:
        return Push(ours=ours, head=None, rewritten=True)
    return Push(
        ours=ours,
        head=head,
        rewritten=not refs.on_chain(head, {ours}),
        commits=int(refs.git.text("rev-list", "--count", head, f"^{ours}")),
        told=_told(refs, head),
    )


def settle_push(refs: References, branch: str, push: Push, back: bool) -> None:
    """The branch goes back to ours, and what was pushed is kept under a ref; or that is ours now.

    Harmless when it is so already. Raises BranchMoved when the branch is elsewhere by now.
    """
    if push.head and back:
        refs.keep(f"{OURS}pushed/{branch}/{push.head}", push.head)
    with refs.writing(names(branch)) as git:
        head, landed = refs.ref(_head(branch)), refs.ref(_landed(branch))
        if head == last_of_ours(refs, branch) and head == (push.ours if back else push.head):
            return
        if head != push.head or (push.head is None and not back):
            raise BranchMoved(branch, head or "nothing")
        if back:
            update(git, _head(branch), push.ours, head or ABSENT, Effect.REF_SET_BACK)
        elif head:
            update(git, _landed(branch), head, landed or ABSENT, Effect.REF_ACCEPTED)


def _told(refs: References, commit: str) -> str:
    shown = refs.git.text("show", "-s", "--format=%an <%ae>: %s", commit)
    said = " ".join(printable(shown).split())[:MAX_TOLD]
    return f"{commit[:SHORT]} by {said}"


def _head(branch: str) -> str:
    return f"refs/heads/{branch}"


def _landing(branch: str) -> str:
    return f"{OURS}landing/{branch}"


def _landed(branch: str) -> str:
    return f"{OURS}landed/{branch}"
