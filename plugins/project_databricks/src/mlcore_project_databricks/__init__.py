"""Databricks as a place where mlcore runs projects."""
