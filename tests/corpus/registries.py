"""Releases from the registries that the product itself has no use for, each by its own client as
this machine has it configured."""

import json
import os
import shutil
from pathlib import Path

from activities.adapters.releases import FetchFailed, Release, run, unpack


def npm(release: Release, folder: Path) -> Path:
    """A package of npm; nothing of it runs."""
    name = f"{release.name}@{release.version}"
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", "."]
    run([*command, name], folder, os.environ)
    [archive] = folder.glob("*.tgz")
    return unpack(archive, release, folder)


def crate(release: Release, folder: Path) -> Path:
    """A package of Rust, from where cargo keeps what it has downloaded."""
    manifest = '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n'
    manifest += f'[dependencies]\n{release.name} = "={release.version}"\n'
    (folder / "src").mkdir()
    (folder / "src" / "lib.rs").touch()
    (folder / "Cargo.toml").write_text(manifest)
    run(["cargo", "fetch", "--quiet"], folder, os.environ)
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    kept = (home / "registry" / "cache").glob(f"*/{release.name}-{release.version}.crate")
    archive = next(kept, None)
    if archive is None:
        raise FetchFailed(f"cargo keeps no archive of {release.name} below {home}/registry/cache")
    root = unpack(archive, release, folder)
    (root / ".cargo_vcs_info.json").unlink(missing_ok=True)
    return root


def go_module(release: Release, folder: Path) -> Path:
    """A module of Go, without the list of what it would vendor."""
    cache = {"GOMODCACHE": str(folder / "cache"), "GOFLAGS": "-modcacherw", "GOSUMDB": "off"}
    command = ["go", "mod", "download", "-json", f"{release.name}@{release.version}"]
    got = json.loads(run(command, folder, {**os.environ, **cache}))
    if got["Sum"] != release.digest:
        raise FetchFailed(
            f"{release.name} {release.version} is not the pinned one: its sum is {got['Sum']}, "
            f"expected was {release.digest}"
        )
    root = Path(got["Dir"])
    shutil.rmtree(root / "vendor", ignore_errors=True)
    return root
