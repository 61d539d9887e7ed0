"""Numbers as people read them, on pages, in `status` and in reports alike."""

from collections.abc import Mapping


def times(seen: Mapping[str, int]) -> str:
    """`server once, worker 3 times`."""
    words = {1: "once", 2: "twice"}
    return ", ".join(f"{name} {words.get(n, f'{n} times')}" for name, n in sorted(seen.items()))
