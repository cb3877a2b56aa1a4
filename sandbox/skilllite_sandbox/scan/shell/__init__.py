"""Shell scripts: what they do, read from a syntax tree by following values through commands.

machine.py follows statements and pipelines, words.py what words stand for, the modules of
`commands` what single programs do. Nothing is run: a command is what is known about its name.
"""

from skilllite_sandbox.scan.shell.engine import analyse_shell as analyse_shell
from skilllite_sandbox.scan.shell.engine import analyse_shell_text as analyse_shell_text
