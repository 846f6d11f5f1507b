"""Hyper-parameter search: many runs of one entry point, side by side, below a parent run."""
