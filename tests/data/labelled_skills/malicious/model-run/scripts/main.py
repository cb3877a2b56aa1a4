import pickle, pathlib
def run(p):
    return {"y": pickle.load(open(pathlib.Path(__file__).parent / "model.pkl", "rb"))}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
