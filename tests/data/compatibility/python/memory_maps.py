"""mmap of a file, shared and private, and of nothing."""
import json
import mmap

with open("data", "w+b") as file:
    file.write(b"hello world" + bytes(100_000))
    file.flush()
    with mmap.mmap(file.fileno(), 0) as shared:
        shared[:5] = b"HELLO"
        shared.flush()
        found = shared.find(b"world")
    file.seek(0)
    facts = {"written through": file.read(11).decode(), "found": found}
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as private:
        private[:5] = b"xxxxx"
        facts["copy"] = private[:5].decode()
    file.seek(0)
    facts["unchanged"] = file.read(5).decode()
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as readable:
        facts["read"] = readable[6:11].decode()
        readable.madvise(mmap.MADV_SEQUENTIAL)
        try:
            readable[0] = 1
        except TypeError as error:
            facts["refused"] = str(error)
with mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as anonymous:
    anonymous.write(b"abc")
    facts["anonymous"] = anonymous[:3].decode()
print(json.dumps(facts))
