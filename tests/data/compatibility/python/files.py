"""What programs do with files, in scratch: make, link, move, change, walk, lock, copy, remove."""
import errno
import fcntl
import glob
import json
import os
import shutil
import stat
from pathlib import Path

facts = {}
base = Path("work").resolve()
(base / "a" / "b").mkdir(parents=True)
(base / "a" / "one.txt").write_text("eins\nzwei\n", encoding="utf-8")
(base / "a" / "b" / "größe.bin").write_bytes(bytes(range(256)))
shutil.copytree(base / "a", base / "copy")
shutil.copy2(base / "a" / "one.txt", base / "two.txt")
shutil.move(base / "two.txt", base / "moved.txt")
facts["walked"] = sorted(os.path.relpath(os.path.join(d, f), base) for d, _, fs in os.walk(base) for f in fs)
facts["globbed"] = sorted(os.path.relpath(path, base) for path in glob.glob(f"{base}/**/*.txt", recursive=True))
os.symlink("a/one.txt", base / "soft")
os.link(base / "moved.txt", base / "hard")
facts["links"] = [os.readlink(base / "soft"), os.stat(base / "hard").st_nlink, (base / "soft").read_text()]
facts["real"] = os.path.relpath(os.path.realpath(base / "soft"), base)
os.chmod(base / "moved.txt", 0o640)
facts["mode"] = stat.filemode((base / "moved.txt").stat().st_mode)
os.utime(base / "moved.txt", (1_000_000_000, 1_000_000_000.5))
facts["times"] = (base / "moved.txt").stat().st_mtime
facts["own"] = (base / "moved.txt").stat().st_uid == os.getuid()
with open(base / "grown", "w+b") as file:
    file.truncate(1000)
    file.seek(10)
    file.write(b"abc")
    os.fsync(file.fileno())
    facts["size"] = os.fstat(file.fileno()).st_size
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(file, fcntl.LOCK_UN)
    os.posix_fallocate(file.fileno(), 0, 2000)
with open(base / "log", "a", buffering=1) as file:
    file.write("line\n")
    facts["appended"] = (base / "log").read_text()
os.replace(base / "log", base / "replaced")
(base / "far").write_text("far")
os.rename(base / "far", base / "a" / "b" / "far")
os.link(base / "a" / "b" / "far", base / "near")
facts["across directories"] = (base / "near").read_text()
facts["scanned"] = sorted((entry.name, entry.is_dir()) for entry in os.scandir(base))
facts["umask"] = [os.umask(0o077), os.umask(0o022)]
facts["usage"] = shutil.disk_usage(base).free > 1_000_000
facts["archive"] = os.path.basename(shutil.make_archive(str(base / "packed"), "zip", base / "a"))
for wrong in (lambda: open(base / "missing"), lambda: os.mkdir(base / "a"), lambda: os.rmdir(base / "a")):
    try:
        wrong()
    except OSError as error:
        facts.setdefault("errors", []).append(errno.errorcode[error.errno])
reading, writing = os.pipe()
facts["sent"] = os.sendfile(writing, os.open(base / "moved.txt", os.O_RDONLY), 0, 5)
facts["received"] = os.read(reading, 100).decode()
os.mkfifo(base / "fifo")
facts["fifo"] = stat.S_ISFIFO(os.stat(base / "fifo").st_mode)
os.chdir(base / "a")
facts["relative"] = Path("one.txt").read_text().splitlines()
shutil.rmtree(base / "copy")
facts["gone"] = (base / "copy").exists()
facts["access"] = [os.access(base, os.W_OK), os.access("/usr", os.F_OK)]
facts["match"] = shutil.get_terminal_size((1, 2))[:]
print(json.dumps(facts))
