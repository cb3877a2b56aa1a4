"""The audit log of a home: what was run, refused, agreed to, installed and changed, and by whom.

Lines of JSON in a chain of hashes (`line`), appended by any process of the user under one lock
(`log`), whose heads are signed now and then (`seals`); `verification` finds what was changed since,
`report` counts. Who only appends imports neither `cryptography` nor the two readers.
"""
