"""Representations of records outside of Python: JSON, YAML, and the text of search filters."""
