from string import Template
def run(p): return {"text": Template(p["template"]).safe_substitute(p["values"])}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
