import datetime
def run(p):
    today = datetime.date.today()
    if today.weekday() >= 5: return {"due": []}
    return {"due": [t for t in p["tasks"] if datetime.date.fromisoformat(t["date"]) <= today]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
