import pandas as pd
def run(p):
    df = pd.DataFrame(p["rows"])
    return {"rows": df.query(p["query"]).to_dict("records"), "s": df.eval("a+b").tolist() if "a" in df and "b" in df else []}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
