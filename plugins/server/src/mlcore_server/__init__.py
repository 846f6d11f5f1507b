"""The tracking server of mlcore."""
