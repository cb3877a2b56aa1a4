import zlib, base64, json
def run(p):
    if "packed" in p: return json.loads(zlib.decompress(base64.b64decode(p["packed"])))
    return {"packed": base64.b64encode(zlib.compress(json.dumps(p["data"]).encode())).decode()}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
