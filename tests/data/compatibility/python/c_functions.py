"""Plain calls into the C and the mathematics library; no callbacks, which need writable code."""
import ctypes
import json

libc = ctypes.CDLL(None, use_errno=True)
libm = ctypes.CDLL("libm.so.6")
libm.cos.restype, libm.cos.argtypes = ctypes.c_double, [ctypes.c_double]
libc.strlen.restype = ctypes.c_size_t
text = ctypes.create_string_buffer(64)
written = libc.snprintf(text, ctypes.c_size_t(64), b"%d-%s", 42, b"abc")
facts = {"cos": libm.cos(0.0), "strlen": libc.strlen(b"hello"), "printf": text.value.decode(), "length": written}


class Pair(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int16), ("b", ctypes.c_int64)]


pairs = (Pair * 3)(Pair(1, 2), Pair(3, 4))
facts["structure"] = [ctypes.sizeof(Pair), [pair.b for pair in pairs], bytes(pairs[0])[:2].hex()]
libc.close(-1)
facts["errno"] = ctypes.get_errno()
facts["cast"] = ctypes.cast(b"xyz", ctypes.POINTER(ctypes.c_char))[1].decode()
facts["python"] = ctypes.pythonapi.Py_IsInitialized()
assert facts["cos"] == 1.0 and facts["errno"] == 9
print(json.dumps(facts))
