"""Tracking: the fluent API, the client, and the way of a metric to its store."""
