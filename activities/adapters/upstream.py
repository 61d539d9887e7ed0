"""Reads a branch of an upstream repository into a ref of ours; upstream is never written.

The fetch names one ref and no tags, accepts no transport but file, https and ssh, and checks every
object it takes in. What went wrong is told apart by what it buys: asking again, or a person.
"""

from pathlib import Path

from activities.adapters.git import Git, GitFailed, without_secrets

FETCH_SECONDS = 6 * 3600.0
STALLED = ("http.lowSpeedLimit=1000", "http.lowSpeedTime=120")
"""Bytes a second over seconds: a silent server must not hold the one fetcher for hours."""
TOLERATED = (
    "badDateOverflow",
    "badEmail",
    "badTimezone",
    "duplicateEntries",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)
"""Old clients' mistakes that stand in the history of honest repositories and endanger nobody."""
LOCAL = "git -c safe.directory='*' upload-pack"
"""Serving a local repository of another user: upload-pack runs nothing that its owner wrote."""


class BaseVanished(Exception):
    """Upstream has no such branch."""


class UpstreamUnreachable(Exception):
    """Upstream could not be read now."""


class UnsupportedRepository(Exception):
    """Upstream is of a kind that Whimbrel does not work on."""


def fetch_branch(git: Git, url: str, branch: str, ref: str) -> str:
    """Fetches `refs/heads/<branch>` of `url` to `ref`, which does not exist; returns the commit.

    git leaves out a ref whose history is cut off, and says so nowhere: then `ref` is still missing.
    """
    if url.startswith("-") or "::" in url:
        raise UpstreamUnreachable(f"{without_secrets(url)} is not a URL or path to fetch from")
    settings = [*STALLED, "transfer.fsckObjects=true"]
    settings += [f"fetch.fsck.{kind}=warn" for kind in TOLERATED]
    options = ["--quiet", "--no-tags", "--refmap=", "--no-write-fetch-head"]
    options += ["--no-recurse-submodules", "--no-auto-maintenance"]
    local = url.startswith(("/", "file://"))
    options.append(f"--upload-pack={LOCAL if local else 'git-upload-pack'}")
    refspec = f"+refs/heads/{branch}:{ref}"
    try:
        git.run(
            "fetch",
            *options,
            "--",
            url,
            refspec,
            network=True,
            timeout=FETCH_SECONDS,
            settings=settings,
        )
    except GitFailed as failed:
        raise _named(failed, url, branch) from failed
    fetched = git.text("for-each-ref", "--format=%(objectname)", ref)
    if not fetched:
        raise UnsupportedRepository(
            f"{without_secrets(url)} is a shallow clone; it lacks the history to merge"
        )
    return fetched


def _named(failed: GitFailed, url: str, branch: str) -> Exception:
    said, where = failed.stderr, without_secrets(url)
    if "couldn't find remote ref" in said:
        return BaseVanished(f"{where} has no branch {branch}")
    if "mismatched algorithms" in said:
        return UnsupportedRepository(f"{where} uses sha256 object ids; only sha1 is supported")
    if "fsck" in said:
        return UnsupportedRepository(f"{where} has objects that git refuses: {said[-300:]}")
    # A path that is not there may be a disk that is not mounted yet: that is worth asking again.
    if "not appear to be a git repository" in said and Path(url.removeprefix("file://")).is_dir():
        return UnsupportedRepository(f"{where} is no git repository on this host")
    return UpstreamUnreachable(f"{where}: {said[-600:] or failed}")
