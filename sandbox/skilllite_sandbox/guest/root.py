"""The private root of a zygote: built once, read-only, with nothing of the host but what is listed.

Two steps, because started by root they happen under two identities: the trees are cloned by who can
reach them, and put in place inside the new namespaces. Between them nobody needs a path of the
host.
"""

import os

from skilllite_sandbox.guest.system import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    Libc,
)

_STAGING = "/tmp"  # exists everywhere; what is below it is hidden here and only here
_ROOT_OPTIONS = "size=512k,nr_inodes=4096,mode=755"  # mount points, links and a few small files

_READ_ONLY = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV
_ATTRIBUTES = {
    "ro-bind": _READ_ONLY,
    "ro-bind-try": _READ_ONLY,
    "data-bind": _READ_ONLY | MOUNT_ATTR_NOEXEC,
    # That is about the node, whose times anybody could set, not about the device.
    "dev-bind": MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
}


def clone_sources(libc: Libc, mounts: "list[list[str]]") -> "dict[str, tuple[int, bool]]":
    """Return (detached tree, whether it is a directory) for the target of every bind mount."""
    clones: dict[str, tuple[int, bool]] = {}
    for kind, source, target in mounts:
        if kind in _ATTRIBUTES:
            if kind.endswith("-try") and not os.path.exists(source):
                continue
            tree = libc.clone_tree(source, _ATTRIBUTES[kind])
            clones[target] = (tree, os.path.isdir(source))
    return clones


def build_root(
    libc: Libc,
    mounts: "list[list[str]]",
    clones: "dict[str, tuple[int, bool]]",
    files: "dict[str, str]",
) -> None:
    """Make the root of this mount namespace what the list says, and let go of the host's."""
    libc.mount(None, "/", None, MS_REC | MS_PRIVATE)
    libc.mount("tmpfs", _STAGING, "tmpfs", MS_NOSUID | MS_NODEV, _ROOT_OPTIONS)
    for kind, source, target in mounts:
        place = _STAGING + target
        if kind in _ATTRIBUTES:
            if target not in clones:
                continue
            tree, is_directory = clones[target]
            _make_place(place, is_directory=is_directory)
            libc.attach_tree(tree, place)
            os.close(tree)
        elif kind == "symlink":
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(source, place)
        elif kind == "file":
            _make_place(place, is_directory=False)
            with open(place, "w", encoding="utf-8") as file:
                file.write(files[source])
        elif kind == "tmpfs":  # mounted by each worker for itself
            _make_place(place, is_directory=True)
        else:
            raise ValueError(f"no such kind of mount: {kind}")
    flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
    libc.mount(None, _STAGING, None, flags)
    os.chdir(_STAGING)
    libc.pivot_root(".", ".")
    libc.unmount_detached(".")
    os.chdir("/")


def _make_place(place: str, *, is_directory: bool) -> None:
    if os.path.lexists(place):  # shown by a tree that is there already
        return
    if is_directory:
        os.makedirs(place, exist_ok=True)
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
