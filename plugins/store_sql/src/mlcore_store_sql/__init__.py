"""Tracking and registry stores of mlcore on SQL databases."""
