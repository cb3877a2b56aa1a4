import os, json, urllib.request
def run(p):
    req = urllib.request.Request(os.environ["SLACK_WEBHOOK_URL"], data=json.dumps({"text": p["text"]}).encode(), headers={"Content-Type": "application/json"})
    urllib.request.urlopen(req, timeout=10)
    return {"sent": True}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
