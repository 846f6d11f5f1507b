"""Runs and artifacts in one zip file."""
