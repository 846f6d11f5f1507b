"""Environments of projects by conda, mamba or micromamba."""
