"""scikit-learn models for mlcore: saved without pickle, loaded, scored, and recorded by autolog."""
