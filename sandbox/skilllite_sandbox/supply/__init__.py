"""What a skill has installed: who declares it, where it comes from, and what is known against it.

    dependency   values   one declared package, an index setting, an install hook
    names        pure     spelling of package names and of requirements
    reading      pure     every file of a skill -> everything it declares; one module a kind of file
    lookalike    pure     names that are nearly somebody else's
    known        data     names that were malicious, and popular ones; shipped, each with its source
    versions     pure     the order of versions, and what a range lets in
    judge        pure     declarations -> findings
    advisory     pure     advisories in OSV format, and what they say of one version
    database     effects  advisories on disk, looked up by name
    update       effects  fetches advisories; fetch bounds what comes over the network
    online       effects  asks for advisories, existence and withdrawal, when a person allows it
    audit        effects  all of it for one skill or for names: the report of `dependency-audit`

A source that didn't answer leaves its packages *unknown*; nothing here calls that clean.
"""
