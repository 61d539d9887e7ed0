"""The command line that puts a job into bubblewrap; a pure function of the job and the host.

Root stages its sources, drops to the tool uid, and only then becomes bubblewrap. Options travel in
a memory file, so that neither their size nor the environment in them shows on a command line.
"""

import resource
from collections.abc import Callable, Sequence
from pathlib import Path

from activities.adapters import seccomp
from activities.adapters.jobs import BASE_PATH, HOME, TMPDIR, Job, Mount
from activities.adapters.orphans import VARIABLE
from activities.adapters.rootfs import files, links, system_mounts

_FRESH = str(1 << 30)
"""Bytes that /tmp, /dev/shm and the home folder may hold, each."""
# A tmpfs over /sys, seen by this command only: always there, and never anybody's source. What the
# options of an overlay name lies there too, so no name of the host's is ever read as an option. Its
# work folder is made anew: a volatile mount leaves one that no other may use.
_STAGE = """\
options=$1
shift
mount -n -t tmpfs -o mode=755,size=1m stage /sys
while [ "$1" != -- ]; do
  if [ -d "$2" ]; then mkdir "$1"; else : > "$1"; fi
  mount -n --bind "$2" "$1"
  if [ -n "$3" ]; then
    changes="$1-changes"
    mkdir "$changes"
    mount -n --bind "$3" "$changes"
    rm -rf "$changes/work"
    mkdir "$changes/work"
    overlay="lowerdir=$1,upperdir=$changes/upper,workdir=$changes/work,$options"
    mount -n -t overlay -o "$overlay" overlay "$1"
  fi
  shift 3
done
shift
exec "$@"
"""
# Volatile: the end of an overlay would else write out all that its file system holds unwritten.
_OVERLAY = "index=off,xino=off,volatile,"
_OVERLAY_OF_ROOT = _OVERLAY + "redirect_dir=on,metacopy=on"
_OVERLAY_OF_USERS = _OVERLAY + "userxattr"
Given = Callable[[bytes], str]
"""Makes content readable to the command under the file descriptor it returns."""


def contained(
    job: Job,
    level: str,
    ids: tuple[int, int] | None,
    stages: bool,
    given: Given,
    status: int,
    mark: str,
) -> list[str]:
    """The whole command; `ids` is whom root drops to, `status` is where bubblewrap reports, `mark`
    tells whose command it is."""
    mounts = sorted(job.mounts, key=lambda mount: len(Path(mount.target).parts))
    stage: list[str] = []
    if stages and (ids or any(mount.changes for mount in mounts)):
        stage, mounts = _staged(mounts, root=ids is not None)
    options = _options(job, level, mounts, given)
    arguments = given(b"".join(option.encode() + b"\0" for option in options))
    drop = ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"]
    if ids:
        drop += [f"--reuid={ids[0]}", f"--regid={ids[1]}", "--clear-groups"]
    return [
        *stage,
        # When memory runs out the kernel takes the command, not the worker.
        *("choom", "-n", "1000", "--", *drop, "--"),
        # The mark only has to be seen on the command line: the options begin with --clearenv.
        *("bwrap", "--setenv", VARIABLE, mark),
        *("--args", arguments, "--json-status-fd", str(status), "--"),
        *limits(job),
        *job.argv,
    ]


def limits(job: Job) -> list[str]:
    """The prlimit prefix, never above what the worker itself may have."""
    wanted = {
        "core": (resource.RLIMIT_CORE, 0),
        "nofile": (resource.RLIMIT_NOFILE, 4096),
        "fsize": (resource.RLIMIT_FSIZE, job.file_size),
        "nproc": (resource.RLIMIT_NPROC, job.processes),
        "data": (resource.RLIMIT_DATA, job.memory),
    }
    words = ["prlimit"]
    for name, (kind, value) in wanted.items():
        hard = resource.getrlimit(kind)[1]
        words.append(f"--{name}={value if hard == resource.RLIM_INFINITY else min(value, hard)}")
    return [*words, "--"]


def variables(job: Job) -> dict[str, str]:
    """All variables a command sees."""
    base = {"PATH": BASE_PATH, "HOME": HOME, "TMPDIR": TMPDIR, "LANG": "C.UTF-8", "CI": "1"}
    base |= {"USER": "agent", "LOGNAME": "agent"}
    return base | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"} | job.env | job.secrets


def staging(*, root: bool) -> list[str]:
    """The prefix that gives a command mounts of its own; a plain user is root over those alone."""
    who = [] if root else ["--user", "--map-root-user"]
    return ["unshare", *who, "--mount", "--propagation", "private", "--"]


def _staged(mounts: Sequence[Mount], *, root: bool) -> tuple[list[str], list[Mount]]:
    """Root reaches every source there; a plain user only needs what has to be an overlay."""
    triples: list[str] = []
    moved: list[Mount] = []
    for index, mount in enumerate(mounts):
        if not root and mount.changes is None:
            moved.append(mount)
            continue
        place = f"/sys/{index}"
        triples += [place, str(mount.source), str(mount.changes or "")]
        moved.append(Mount(Path(place), mount.target, mount.writable))
    options = _OVERLAY_OF_ROOT if root else _OVERLAY_OF_USERS
    return [*staging(root=root), "sh", "-ec", _STAGE, "stage", options, *triples, "--"], moved


def _options(job: Job, level: str, mounts: Sequence[Mount], given: Given) -> list[str]:
    options = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    options += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv"]
    if not job.network:
        options += ["--unshare-net"]  # bubblewrap brings the new loopback up
    options += _system(job.network, given)
    if level == "strict":
        options += ["--disable-userns", "--proc", "/proc"]
    else:  # a container's masked /proc cannot be mounted anew, nor its sysctls be written
        options += ["--ro-bind", "/proc", "/proc"]
    options += ["--dev", "/dev"]
    for folder, mode in (("/dev/shm", "1777"), (TMPDIR, "1777"), (HOME, "0755")):
        options += ["--size", _FRESH, "--perms", mode, "--tmpfs", folder]
    if not any(Path(job.cwd).is_relative_to(mount.target) for mount in mounts):
        options += ["--dir", job.cwd]
    for mount in mounts:
        kind = "--bind" if mount.writable else "--ro-bind"
        options += [kind, str(mount.source), mount.target]
    options += ["--remount-ro", "/", "--remount-ro", "/dev", "--chdir", job.cwd]
    for name, value in variables(job).items():
        options += ["--setenv", name, value]
    return [*options, "--seccomp", given(seccomp.program())]


def _system(network: bool, given: Given) -> list[str]:
    options = ["--perms", "0755", "--dir", "/etc"]
    for link, target in links():
        options += ["--symlink", target, link]
    for mount in system_mounts(network=network):
        options += ["--ro-bind-try", str(mount.source), mount.target]
    for path, content in files(network=network):
        options += ["--perms", "0644", "--file", given(content), path]
    return options
