"""Every source of randomness gives something, and never the same thing twice."""
import json
import os
import random
import secrets
import ssl
import uuid

sources = {
    "urandom": lambda: os.urandom(16),
    "getrandom": lambda: os.getrandom(16),
    "device": lambda: open("/dev/urandom", "rb").read(16),
    "other device": lambda: open("/dev/random", "rb").read(16),
    "secrets": lambda: secrets.token_hex(16),
    "random": lambda: random.random(),
    "system random": lambda: random.SystemRandom().random(),
    "openssl": lambda: ssl.RAND_bytes(16),
    "uuid4": uuid.uuid4,
    "uuid1": uuid.uuid1,
}
facts = {name: len({source() for _ in range(100)}) for name, source in sources.items()}
facts["choice"] = secrets.choice(["x"])
facts["below"] = 0 <= secrets.randbelow(10) < 10
facts["url"] = len(secrets.token_urlsafe(32))
facts["node"] = uuid.getnode() == uuid.getnode()
facts["uuid5"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.com"))
assert all(facts[name] == 100 for name in sources), facts
print(json.dumps(facts))
