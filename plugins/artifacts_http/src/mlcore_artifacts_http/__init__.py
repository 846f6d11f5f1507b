"""Artifacts behind the artifact proxy of a server, and files at plain URLs."""
