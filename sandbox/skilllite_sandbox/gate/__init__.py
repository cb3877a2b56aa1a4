"""What stands before a run at level 3: the scanner's verdict, and where it asks, a person's answer.

`Gate.clear` gives a `Clearance` for one staged digest or raises; `Sandbox.start` takes no job of
level 3 without one. What a person decided is kept by digest in the home (`decisions`), and asked
for at the controlling terminal only (`terminal`), never on stdin, by a socket or by a flag.
"""
