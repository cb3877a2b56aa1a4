"""The packages of a skill: locked, installed inside a sandbox, kept by content, shared.

    requirements   pure     what a skill asks for -> a dependency set with a key
    lock           pure     what a set was resolved to, with hashes -> the digest of an environment
    needs          effects  what one script of a skill needs on this host
    index          effects  where packages come from: the settings a person made for uv, pip and npm
    build_filter   pure     the system calls that installing may make
    box            pure     mounts, limits and the command of the sandbox that installs
    box_run        effects  one run of that sandbox, with the egress proxy as its only way out
    box_guest               the first code in it; a script of its own
    installers     pure     the commands of uv and npm, and what their failures mean
    builder        effects  resolving and installing, put together for this host
    installed      effects  one environment on disk: its record, its count, who owns it
    store          effects  environments on disk: built once, checked, listed, removed

A run without packages imports none of it; one that finds its environment imports needs and store.
"""
