import boto3
def run(p):
    boto3.client("s3").upload_file(p["file"], p["bucket"], p["key"])
    return {"ok": True}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
