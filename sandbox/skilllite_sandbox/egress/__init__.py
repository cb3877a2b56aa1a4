"""The way out for a skill with declared network: a proxy on the host that knows what was granted.

A skill that may use the network still has none of its own. In its network namespace there is
loopback and one listening socket; whatever it wants from outside it asks of the proxy behind that
socket, which runs on the host and decides by name, resolves, judges every address, connects and
counts. No packet of the skill is ever routed, and it needs no DNS.

    addresses      pure     which addresses are refused unless a grant names them
    rules          pure     grants -> may this host and port be reached
    requests       pure     the head of a proxy request, and where its body ends
    client_hello   pure     the server name in the first bytes of TLS
    attempt        values   limits, and what is reported about each connection
    resolution     effects  names to addresses, in threads that can't hold up the others
    relay          effects  bytes from one socket to another, without a queue
    connection     effects  one client from its first byte to its last
    proxy          effects  the loop: accepts, waits, bounds, closes

Nothing here is imported by a run without network.
"""
