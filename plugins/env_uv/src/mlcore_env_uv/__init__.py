"""Environments of projects by uv."""
