"""Shapes of well-known credentials."""
KINDS = [
    ("github token", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    ("slack token", r"\bxox[abpr]-[0-9A-Za-z-]{10,}"),
    ("private key", r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----"),
    ("aws key id", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("password in url", r"\w+://[^/\s:@]+:[^/\s:@]+@"),
]
