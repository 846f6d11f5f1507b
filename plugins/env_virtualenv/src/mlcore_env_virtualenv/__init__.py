"""Environments of projects by virtualenv and pip."""
