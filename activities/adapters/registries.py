"""How package installers reach their registries while an environment is prepared.

The host's pip, npm, cargo, go and maven settings, proxies and certificate bundles, copied by name
and never as a whole. Logins stay behind: they belong to the network proxy, not to code that
packages bring.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from activities.adapters.jobs import HOME, Mount

_PIP_FILE, _NPM_FILE = "/etc/whimbrel-pip.conf", "/etc/whimbrel-npmrc"
_CARGO_FILE, _MAVEN_FILE = "/.cargo/config.toml", f"{HOME}/.m2/settings.xml"
"""cargo reads the one from every folder above its work, maven the other from the home folder."""
_GO = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE")
_BUNDLES = (
    "CARGO_HTTP_CAINFO",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
_NAMED = re.compile(r"(pip_|npm_config_)[a-z0-9_./:@-]+", re.IGNORECASE)
# Where to install and what to log is ours to say.
_OURS = re.compile(
    r"pip_(target|prefix|root|user|cache_dir|log|src|python|require_virtualenv|client_cert)"
    r"|npm_config_(prefix|local_prefix|global_prefix|cache|userconfig|globalconfig|init_module)",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"auth|passw|token|secret|username|certfile|keyfile", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]*@")
_PATHS = re.compile(r"^(pip_find_links|pip_cert|pip_constraint|npm_config_cafile)$", re.IGNORECASE)
_PATH_LINE = re.compile(r"^\s*(?:cert|find-links|constraint|cafile)\s*=\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Registries:
    """Variables, files by their path inside, and what both of them point to."""

    env: dict[str, str]
    files: dict[str, str]
    mounts: tuple[Mount, ...]

    def lay_out(self, folder: Path) -> tuple[Mount, ...]:
        """All mounts, with the files written into a folder."""
        written = [Mount(folder / path.strip("/").replace("/", "-"), path) for path in self.files]
        for mount in written:
            mount.source.write_text(self.files[mount.target])
        return (*written, *self.mounts)


def registries(environ: Mapping[str, str], home: Path) -> Registries:
    """Pick what installers need from an environment and a home folder."""
    environ = {**_go_settings(home / ".config/go/env"), **environ}
    env = {name: _USERINFO.sub("", value) for name, value in environ.items() if _wanted(name)}
    pip = Path(environ.get("PIP_CONFIG_FILE") or home / ".config/pip/pip.conf")
    texts = {
        "/etc/pip.conf": _text(Path("/etc/pip.conf")),
        _PIP_FILE: _text(pip, home / ".pip/pip.conf"),
        _NPM_FILE: _text(home / ".npmrc"),
        _CARGO_FILE: _text(home / ".cargo/config.toml", home / ".cargo/config"),
        _MAVEN_FILE: _text(home / ".m2/settings.xml"),
    }
    files = {path: text for path, text in texts.items() if text}
    for variable, path in (("PIP_CONFIG_FILE", _PIP_FILE), ("npm_config_userconfig", _NPM_FILE)):
        env.pop(variable, None)
        if path in files:
            env[variable] = path
    values = [v for n, v in env.items() if _PATHS.match(n) or n in _BUNDLES]
    values += [line for text in files.values() for line in _PATH_LINE.findall(text)]
    return Registries(env, files, _mounts(values))


def _go_settings(file: Path) -> dict[str, str]:
    """What `go env -w` wrote."""
    lines = _text(file).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _wanted(name: str) -> bool:
    if name in (*_BUNDLES, *_GO) or name.upper() in _PROXIES:
        return True
    return bool(_NAMED.fullmatch(name)) and not _OURS.fullmatch(name) and not _LOGIN.search(name)


def _text(*choices: Path) -> str:
    for path in choices:
        if path.is_file():
            lines = path.read_text(errors="replace").splitlines()
            return "".join(
                _USERINFO.sub("", line) + "\n"
                for line in lines
                if not _LOGIN.search(line.partition("=")[0])
            )
    return ""


def _mounts(values: Iterable[str]) -> tuple[Mount, ...]:
    words = (word.removeprefix("file://") for value in values for word in value.split())
    paths = sorted({word for word in words if word.startswith("/")})
    inside = ("/usr", "/etc/ssl/certs")
    return tuple(
        Mount(Path(path).resolve(), path)
        for path in paths
        if Path(path).exists() and not any(Path(path).is_relative_to(top) for top in inside)
    )
