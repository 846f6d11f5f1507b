"""Tracking store of mlcore on SQL databases."""
