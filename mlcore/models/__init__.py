"""Models: format, signature, environment, loading and saving."""
