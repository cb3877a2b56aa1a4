"""Code that runs inside the sandbox, in an interpreter of its own, and how it gets there."""
