"""The system calls a sandboxed command may not make, as a BPF program bubblewrap loads.

Namespaces and the dropped uid do the work; this list takes away what they leave: tracing, kernel
keys, io_uring, bpf, the mount and namespace calls, exotic socket families, pushing keystrokes into
a terminal. A refused call sees EPERM. NETLINK stays allowed: node's networkInterfaces() needs it
and the network namespace isolates it. Assembled here so that no library decides what is refused.
"""

import errno
import platform
import struct
from dataclasses import dataclass

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020000
"""Every CLONE_NEW* flag that clone(2) takes."""
_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX."""
_FAMILIES = (17, 31, 38, 40)
"""PACKET, BLUETOOTH, ALG, VSOCK."""

Instruction = tuple[int, int, int, int]

# name → (x86_64, aarch64); None where an architecture does not have the call.
_DENIED: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "syslog": (103, 116),
    "acct": (163, 89),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
}
_CLONE3 = 435


@dataclass(frozen=True)
class _Machine:
    column: int
    audit: int
    clone: int
    socket: int
    ioctl: int


_MACHINES = {
    "x86_64": _Machine(column=0, audit=0xC000003E, clone=56, socket=41, ioctl=16),
    "aarch64": _Machine(column=1, audit=0xC00000B7, clone=220, socket=198, ioctl=29),
}


def program(machine: str = "") -> bytes:
    """The filter for a machine (default: this one); LookupError where none is known."""
    name = machine or platform.machine()
    if name not in _MACHINES:
        raise LookupError(f"no system call list for {name}; known: {', '.join(_MACHINES)}")
    return b"".join(struct.pack("<HBBI", *line) for line in _assemble(_MACHINES[name]))


def _assemble(machine: _Machine) -> list[Instruction]:
    deny, allow = _answer(errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, machine.audit),  # a 32-bit call has other numbers: refuse them all
        deny,
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine.column == 0:
        lines += [(_AT_LEAST, 0, 1, _X32_BIT), deny]
    for numbers in _DENIED.values():
        number = numbers[machine.column]
        if number is not None:
            lines += _when(number, [deny])
    # clone3 hides its flags behind a pointer; ENOSYS makes every libc fall back to clone.
    lines += _when(_CLONE3, [_answer(errno.ENOSYS)])
    lines += _when(machine.clone, [_argument(0), (_ANY_BIT, 0, 1, _NAMESPACE_FLAGS), deny, allow])
    families = [line for family in _FAMILIES for line in _when(family, [deny])]
    lines += _when(machine.socket, [_argument(0), *families, allow])
    requests = [line for request in _TERMINAL_INPUT for line in _when(request, [deny])]
    lines += _when(machine.ioctl, [_argument(1), *requests, allow])
    return [*lines, allow]


def _when(value: int, body: list[Instruction]) -> list[Instruction]:
    return [(_EQUAL, 0, len(body), value), *body]


def _argument(index: int) -> Instruction:
    return (_LOAD, 0, 0, _FIRST_ARGUMENT + 8 * index)


def _answer(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)
