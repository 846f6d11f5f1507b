"""Searches of mlcore with the samplers of Optuna."""
