"""Webhooks: signed HTTP requests about what happens."""
