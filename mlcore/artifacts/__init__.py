"""Artifacts: transfer of files and trees, progress, and what URIs of runs and models name."""
