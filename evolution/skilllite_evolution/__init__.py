"""The evolution wing: feedback, reflection, proposal, verification, gate and rollback.

Nothing is implemented in this wing yet. It will turn recorded feedback into proposed changes of
prompts, memory and skills, and promote a change only when replayed evidence supports it. It may
import the sandbox and nothing above it.
"""
