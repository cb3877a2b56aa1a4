"""Whether an installed skill is still what was installed, where it came from, and who vouches.

Everything here is kept with the user, never inside a skill. manifests say what every file was when
a skill was installed, and are signed; the register says which manifest is the newest one of each
directory, and is sealed, so that a run checks it without a signature; the guard compares what is
about to run with it, at every level.
"""
