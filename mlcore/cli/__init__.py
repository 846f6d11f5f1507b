"""The `mlcore` program."""
