"""Run context of mlcore: who runs what, from which commit."""
