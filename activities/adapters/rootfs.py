"""What every sandboxed command finds below / besides its own mounts.

The host's programs, read-only, and a few files of our own making. Nothing of a user's home, no
host accounts, no host git config.
"""

from pathlib import Path

from activities.adapters.jobs import HOME, Mount

_TOP = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "java",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
)
_PASSWD = f"""\
root:x:0:0:root:/root:/usr/sbin/nologin
agent:x:1000:1000:agent:{HOME}:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUP = "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n"
_HOSTS = "127.0.0.1 localhost sandbox\n::1 localhost\n"
# Host files that belong to the worker's user show up as nobody's; git would refuse those.
_GITCONFIG = "[safe]\n\tdirectory = *\n"


def system_mounts(*, network: bool = False) -> tuple[Mount, ...]:
    """The read-only mounts every command gets; with the network also what resolves names."""
    tops = [Path(top) for top in _TOP]
    found = [top for top in tops if top.is_dir() and not top.is_symlink()]
    names = (*_ETC, "resolv.conf", "hosts") if network else _ETC
    etc = [Path("/etc", name) for name in names]
    return tuple(
        Mount(path.resolve(), str(path)) for path in (*found, *(p for p in etc if p.exists()))
    )


def links() -> tuple[tuple[str, str], ...]:
    """Top-level links such as /bin → usr/bin, as (link, what it says)."""
    tops = [Path(top) for top in _TOP]
    return tuple((str(top), str(top.readlink())) for top in tops if top.is_symlink())


def files(*, network: bool = False) -> tuple[tuple[str, bytes], ...]:
    """Files of our own making, as (path, content)."""
    made = {"/etc/passwd": _PASSWD, "/etc/group": _GROUP, "/etc/gitconfig": _GITCONFIG}
    if not network:
        made["/etc/hosts"] = _HOSTS
    return tuple((path, content.encode()) for path, content in made.items())
