"""Artifacts in a directory of this machine, or of a file system that it mounts."""
