"""Carriers: each takes a plan and starts the process that the plan describes."""
