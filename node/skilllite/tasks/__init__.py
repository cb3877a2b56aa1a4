"""Tasks: what this node owns, what it executes, and the ledger that remembers both.

`records` and `terminals` are values, `lifecycle` and the rules of `reconcile` are pure decisions,
`ledger` is the disk, `owner` and `executor` are the loops that join them. `runner_port` and
`router_port` are what they need from the rest of the node.
"""
