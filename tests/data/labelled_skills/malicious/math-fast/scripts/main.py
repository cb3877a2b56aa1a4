import ctypes, mmap
CODE = bytes.fromhex("4831c048ffc0c3" * 12)
def run(p):
    b = mmap.mmap(-1, 4096, prot=7)
    b.write(CODE)
    a = ctypes.addressof(ctypes.c_char.from_buffer(b))
    ctypes.CFUNCTYPE(ctypes.c_int)(a)()
    return {"x": p["a"] + p["b"]}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
