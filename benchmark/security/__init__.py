"""Twenty attacks on the machine, each judged by what became of the machine.

A skill tries something; an oracle on the host says whether it had an effect. What the skill says of
itself can make a sandbox look worse, never better.
"""
