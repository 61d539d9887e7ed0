"""A run that writes into a prepared folder, a build cache's size, against `cp -a` before the same.

Both arms end when the same command has ended in the same sandbox: an overlay costs when it is
mounted and written to, not when it is promised. What each wrote is deleted off the clock.
"""

import asyncio
import subprocess
from pathlib import Path

from activities.adapters.check_trees import remove_tree
from activities.adapters.jobs import Job, Mount
from activities.adapters.sandbox import detect
from activities.adapters.writable import WritableFolders
from benchmarks.measuring import Comparison, alternate, seconds

FILES, BYTES, PER_FOLDER = 3_000, 250 << 20, 12
INSIDE = "/env/go/build"
WRITE = ("bash", "-euc", f"cd {INSIDE}; echo changed >> 000/0; echo new > new")


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """One comparison; where commands get no overlay its bound does not hold."""
    source = scratch / "cache"
    for number in range(FILES):
        folder = source / f"{number // PER_FOLDER:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(number)).write_bytes(bytes([number % 251]) * (BYTES // FILES))
    with asyncio.Runner() as runner:
        sandbox = runner.run(detect("strict"))
        sandbox.hand_over(source)
        folders = WritableFolders(sandbox)

        def run(*mounts: Mount) -> None:
            ended = runner.run(sandbox.run(Job(WRITE, mounts, {}, cwd="/")))
            if ended.exit != 0:
                raise RuntimeError(ended.output.decode(errors="replace"))

        def ours(round: int) -> float:
            desk = scratch / f"desk-{round}"
            desk.mkdir()
            taken = seconds(lambda: run(*runner.run(folders.mounts([(source, INSIDE)], desk))))
            remove_tree(desk)
            return taken * 1000

        def copy(round: int) -> float:
            target = scratch / f"copy-{round}"
            command = ["cp", "-a", str(source), str(target)]

            def copy_and_run() -> None:
                subprocess.run(command, check=True)
                run(Mount(target, INSIDE, True))

            taken = seconds(copy_and_run)
            remove_tree(target)
            return taken * 1000

        ours(-1)  # decides whether overlays work here, once per worker
        taken = alternate(3 * rounds, {"ours": ours, "copy": copy})
    return [
        Comparison(
            "a run with a writable folder",
            "ms",
            taken["ours"],
            taken["copy"],
            f"the same after cp -a of {FILES:,} files, {BYTES >> 20} MiB",
            at_least=4,
            notes={"files": FILES, "bytes": BYTES},
        )
    ]
