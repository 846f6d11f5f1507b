"""The web UI of mlcore."""
