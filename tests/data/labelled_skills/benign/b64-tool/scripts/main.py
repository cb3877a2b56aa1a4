import base64
def run(p):
    if p["mode"] == "encode":
        return {"text": base64.b64encode(p["text"].encode()).decode()}
    return {"text": base64.b64decode(p["text"]).decode("utf-8", "replace")}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
