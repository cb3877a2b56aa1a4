"""Settings that gRPC reads from the environment when it is loaded; imported before it."""

from __future__ import annotations

import os

# Below ERROR it writes a line to stderr for every stranger that connects.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
