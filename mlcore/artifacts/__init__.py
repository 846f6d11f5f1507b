"""Artifacts: moving files and trees between a machine and a repository."""
