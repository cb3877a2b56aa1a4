"""Bounds on everything a run starts, together: for runs of more than one process."""
