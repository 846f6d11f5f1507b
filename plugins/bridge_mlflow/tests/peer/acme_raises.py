"""A module of a plugin that raises when it is imported."""

raise ValueError("ACME_URL is not set")
