"""Bash-tool skills: `allowed-tools: Bash(git:*)` lets an agent run these commands and no others.

A command is read by a parser of our own, never by a shell: what it returns are the words that will
be executed, and no shell gets to see the text. So there is nothing to be expanded, substituted,
sourced or redirected behind the back of the check. Whatever the parser doesn't know it refuses.

    command.py   the grammar: pipelines, `&&`, `||` and `;` of simple commands
    words.py     from text to words and operators, and what is refused on the way
    patterns.py  what `Bash(…)` allows: the first words of a command
    programs.py  what an allowed program can do beyond its own words
    request.py   skill, command and grants in, what is to be run out

The commands then run in the sandbox, where nothing but the granted programs can be executed.
"""
