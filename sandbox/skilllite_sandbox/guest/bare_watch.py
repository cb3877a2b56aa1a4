"""How much a skill keeps in its scratch directory, where no mount of its own bounds it.

Looked at again and again, from outside of the skill's sandbox, so that more than the bound can be
there for a moment. What can't be looked at counts as too much. Counted are the files that can be
found, those that are only open any more, and those that are only mapped any more.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system uses
_TYPE_MASK, _REGULAR = 0o170000, 0o100000


class Usage:
    """What was found so far; stops counting when it is too much."""

    def __init__(
        self, *, bytes_most: int, inodes_most: int, file_bytes: int, lost_bytes: int
    ) -> None:
        """Begin to count.

        Args:
            bytes_most: The bound on what all files hold.
            inodes_most: The bound on their number.
            file_bytes: The bound on one file.
            lost_bytes: How much fuller the disk became since the run began.
        """
        self._bytes_most = bytes_most
        self._inodes_most = inodes_most
        self._file_bytes = file_bytes
        self._lost_bytes = lost_bytes
        self._mapped = 0
        self._bytes = 0
        self._device = -1
        self._seen: set[tuple[int, int]] = set()
        self.closed: set[int] = set()
        """Processes that can't be looked into: for a moment each one, while it starts or ends."""

    def has_too_much(self, scratch: str) -> bool:
        """Count what can be found in the directory; return whether it is more than the bounds."""
        try:
            self._device = os.stat(scratch).st_dev
            return self._count_tree(scratch)
        except OSError:
            # A path longer than the kernel takes, a directory that can't be listed: made by it.
            return True

    def keeps_too_much(self, pids: "Iterable[int]", closed_before: "set[int]") -> bool:
        """Count also what these processes keep on the same disk without a name.

        One that stays closed from one time to the next has something to hide.
        """
        for pid in pids:
            try:
                if self._count_process(pid):
                    return True
            except PermissionError:
                if not _is_dead(pid):
                    self.closed.add(pid)
            except OSError:
                return True
        return bool(self.closed & closed_before)

    def _add(self, status: os.stat_result) -> bool:
        key = (status.st_dev, status.st_ino)
        if key not in self._seen:
            self._seen.add(key)
            self._bytes += status.st_blocks * _BLOCK_BYTES
        return self._bytes > self._bytes_most or len(self._seen) > self._inodes_most

    def _count_tree(self, scratch: str) -> bool:
        waiting = [scratch]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        if self._add(entry.stat(follow_symlinks=False)):
                            return True
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
            except (FileNotFoundError, NotADirectoryError):
                pass  # removed meanwhile
        return False

    def _count_process(self, pid: int) -> bool:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
            for name in names:
                try:
                    status = os.stat(f"/proc/{pid}/fd/{name}")
                except FileNotFoundError:
                    continue  # closed meanwhile
                if _is_nameless(status, self._device) and self._add(status):
                    return True
            return self._count_mapped(pid)
        except (FileNotFoundError, ProcessLookupError):
            return False  # it is gone

    def _count_mapped(self, pid: int) -> bool:
        """Count files that have no name and are not open.

        Their size can't be had. Small ones are usual, as locks between threads, so they count as
        the largest that they can be, but all together as no more than the disk has lost.
        """
        with open(f"/proc/{pid}/maps", "rb") as file:
            for line in file:
                if not line.endswith(b" (deleted)\n"):
                    continue
                major, _, minor = line.split()[3].partition(b":")
                key = (os.makedev(int(major, 16), int(minor, 16)), int(line.split()[4]))
                if key[0] == self._device and key not in self._seen:
                    self._seen.add(key)
                    self._mapped += 1
        hidden = min(self._mapped * self._file_bytes, self._lost_bytes)
        return self._bytes + hidden > self._bytes_most or len(self._seen) > self._inodes_most


def used_bytes(place: str) -> int:
    """Return how full the disk is that a directory is on."""
    facts = os.statvfs(place)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize


def _is_nameless(status: os.stat_result, device: int) -> bool:
    is_file = status.st_mode & _TYPE_MASK == _REGULAR
    return is_file and status.st_nlink == 0 and status.st_dev == device


def _is_dead(pid: int) -> bool:
    """Return whether a process only waits to be reaped, and so keeps nothing any more."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except OSError:
        return True


def count_threads(pid: int) -> int:
    """Return how many threads a process has; 0 when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def processes_of(user: int) -> "list[int]":
    """Return the processes of a user that nobody else is."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == user:
                    found.append(int(name))
            except FileNotFoundError:
                pass
    return found
