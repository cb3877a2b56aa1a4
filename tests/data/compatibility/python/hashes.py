"""hashlib with everything OpenSSL and the built-in ones give, hmac, crc."""
import base64
import hashlib
import hmac
import json
import zlib

data = "Grüße".encode()
facts = {name: hashlib.new(name, data).hexdigest() for name in sorted(hashlib.algorithms_guaranteed) if "shake" not in name}
facts["shake"] = hashlib.shake_128(data).hexdigest(8)
facts["keyed"] = hashlib.blake2b(data, key=b"k" * 16, digest_size=20, person=b"me").hexdigest()
facts["pbkdf2"] = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10_000).hex()
facts["scrypt"] = hashlib.scrypt(b"password", salt=b"salt", n=1024, r=8, p=1).hex()
facts["hmac"] = hmac.new(b"key", data, "sha512").hexdigest()
facts["compare"] = hmac.compare_digest(b"a", b"a")
facts["crc"] = [zlib.crc32(data), zlib.adler32(data)]
facts["base85"] = base64.b85encode(data).decode()
with open("file", "wb") as file:
    file.write(data * 100_000)
with open("file", "rb") as file:
    facts["file"] = hashlib.file_digest(file, "sha256").hexdigest()
assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf")
print(json.dumps(facts))
