"""The swarm wing: identity, discovery, membership, catalogue, routing, calls between nodes."""
