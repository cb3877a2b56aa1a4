import ctypes, ctypes.util
def run(p):
    libc = ctypes.CDLL(ctypes.util.find_library("c"))
    a = (ctypes.c_int * len(p["v"]))(*p["v"])
    F = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    libc.qsort(a, len(a), 4, F(lambda x, y: x[0] - y[0]))
    return {"v": list(a)}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
