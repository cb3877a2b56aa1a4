"""Every compressor and both kinds of archive."""
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib

data = b"the same line again\n" * 5000
facts = {}
for module in (bz2, gzip, lzma, zlib):
    packed = module.compress(data)
    assert module.decompress(packed) == data
    facts[module.__name__] = len(packed) < 1000
with gzip.open("file.gz", "wt", encoding="utf-8") as file:
    file.write("Grüße")
with gzip.open("file.gz", "rt", encoding="utf-8") as file:
    facts["gzip text"] = file.read()
with lzma.open("file.xz", "wb", preset=1) as file:
    file.write(data)
facts["xz"] = len(lzma.open("file.xz").read())
with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_LZMA) as archive:
    archive.writestr("ordner/größe.txt", "x" * 100)
    archive.writestr(zipfile.ZipInfo("dated", (2020, 1, 2, 3, 4, 6)), b"y")
with zipfile.ZipFile("a.zip") as archive:
    facts["zip"] = [(info.filename, info.file_size, info.date_time[:1] > (1979,)) for info in archive.infolist()]
    archive.extractall("unzipped")
    facts["bad"] = archive.testzip()
with tarfile.open("a.tar.xz", "w:xz") as archive:
    archive.add("unzipped", "tree")
    info = tarfile.TarInfo("from memory")
    info.size = 3
    archive.addfile(info, io.BytesIO(b"abc"))
with tarfile.open("a.tar.xz") as archive:
    facts["tar"] = sorted(archive.getnames())
    archive.extractall("untarred", filter="data") if hasattr(tarfile, "data_filter") else archive.extractall("untarred")
facts["extracted"] = open("untarred/tree/ordner/größe.txt").read(3)
stream = zlib.decompressobj()
facts["stream"] = len(stream.decompress(zlib.compress(data), 100))
print(json.dumps(facts))
