"""What this machine can enforce and what blocks discovery, found out by trying it.

`checks` holds the value every check gives, `host` tries the sandbox, the home, the clock and the
node, `network` tries multicast and ports.
"""
