"""Tracking and registry stores of mlcore in directories."""
