"""tempfile in all its forms, below the directory that TMPDIR names."""
import json
import os
import stat
import tempfile
from pathlib import Path

facts = {}
scratch = tempfile.gettempdir()
assert scratch == os.environ["TMPDIR"]
with tempfile.NamedTemporaryFile("w+", suffix=".txt", encoding="utf-8") as named:
    named.write("Grüße")
    named.flush()
    facts["named"] = Path(named.name).read_text(encoding="utf-8")
    facts["below"] = os.path.dirname(named.name) == scratch
    path = named.name
facts["removed"] = not os.path.exists(path)
with tempfile.TemporaryDirectory(prefix="job-") as directory:
    (Path(directory) / "deep" / "er").mkdir(parents=True)
    (Path(directory) / "deep" / "er" / "file").write_bytes(b"x" * 10)
    facts["tree"] = sorted(str(p.relative_to(directory)) for p in Path(directory).rglob("*"))
facts["directory removed"] = not os.path.exists(directory)
descriptor, path = tempfile.mkstemp()
facts["mode"] = stat.filemode(os.fstat(descriptor).st_mode)
os.write(descriptor, b"abc")
os.close(descriptor)
facts["mkstemp"] = Path(path).read_bytes().decode()
os.unlink(path)
made = tempfile.mkdtemp()
facts["directory mode"] = stat.filemode(os.stat(made).st_mode)
with tempfile.TemporaryFile() as anonymous:
    anonymous.write(b"12345")
    anonymous.seek(1)
    facts["anonymous"] = anonymous.read(3).decode()
with tempfile.SpooledTemporaryFile(max_size=4) as spooled:
    spooled.write(b"123456")
    spooled.seek(0)
    facts["spooled"] = spooled.read().decode()
facts["distinct"] = len({tempfile.mktemp() for _ in range(50)})
assert facts["distinct"] == 50
print(json.dumps(facts))
