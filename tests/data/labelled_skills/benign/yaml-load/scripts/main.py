import yaml
def run(p): return {"data": yaml.safe_load(p["text"])}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
