"""The swarm wing: identity, discovery, membership, catalogue, routing and the calls between nodes."""
