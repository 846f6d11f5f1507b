"""Offer the installed plugins of MLflow as plugins of mlcore."""
