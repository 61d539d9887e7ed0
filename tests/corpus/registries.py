"""Releases from the registries that the product itself has no use for, each by its own client as
this machine has it configured."""

import json
import os
import shutil
import zipfile
from pathlib import Path

from activities.adapters.releases import FetchFailed, Release, Source, refuse_another, run, unpack

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fetch</groupId><artifactId>fetch</artifactId><version>0</version>
  <dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = """
    <dependency>
      <groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>
      <classifier>{classifier}</classifier>
    </dependency>
"""
_RESOLVE = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:resolve"
_APT_HELPER = "/usr/lib/apt/apt-helper"


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


def maven(release: Release, folder: Path) -> Path:
    """An artifact `group:name` as its build has it: the POM beside the sources and the tests'
    sources. The digest is that of the three, one after another."""
    group, _, artifact = release.name.partition(":")
    archives = ("sources", "test-sources")
    wanted = [
        _DEPENDENCY.format(
            group=group, artifact=artifact, version=release.version, classifier=classifier
        )
        for classifier in archives
    ]
    (folder / "pom.xml").write_text(_POM.format(dependencies="".join(wanted)))
    kept = folder / "m2"
    options = ["--batch-mode", "--quiet", "-DexcludeTransitive", f"-Dmaven.repo.local={kept}"]
    run(["mvn", *options, _RESOLVE], folder, os.environ)
    stem = f"{artifact}-{release.version}"
    had = kept.joinpath(*group.split("."), artifact, release.version)
    pom, *jars = [had / f"{stem}{end}" for end in (".pom", *(f"-{a}.jar" for a in archives))]
    refuse_another(b"".join(path.read_bytes() for path in (pom, *jars)), release)
    root = folder / "tree"
    for jar, top in zip(jars, ("main", "test"), strict=True):
        _lay_out(jar, root / "src" / top)
    pom.rename(root / "pom.xml")
    return root


def _lay_out(archive: Path, top: Path) -> None:
    with zipfile.ZipFile(archive) as jar:
        for name in jar.namelist():
            if not name.startswith("META-INF/") and not name.endswith("/"):
                jar.extract(name, top / ("java" if name.endswith(".java") else "resources"))


def debian(package: str, ending: str) -> Source:
    """Upstream's archive of a Debian source, from the pool where a binary package of it lies."""

    def source(release: Release, folder: Path) -> Path:
        asked = run(["apt-get", "download", "--print-uris", package], folder, os.environ)
        pool, _, _ = asked.split("'")[1].rpartition("/")
        name = f"{release.name}_{release.version}.orig.{ending}"
        run([_APT_HELPER, "download-file", f"{pool}/{name}", name], folder, os.environ)
        return unpack(folder / name, release, folder)

    return source
