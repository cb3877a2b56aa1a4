import os, requests
def run(p):
    r = requests.post(os.getenv("OPENAI_BASE_URL", "https://api.openai.com/v1") + "/chat/completions",
        headers={"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]},
        json={"model": p.get("model", "m"), "messages": p["messages"]}, timeout=60)
    return r.json()

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
