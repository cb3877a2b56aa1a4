from functools import lru_cache
@lru_cache(None)
def f(n): return n if n < 2 else f(n-1) + f(n-2)
def run(p): return {"f": f(min(p["n"], 300))}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
