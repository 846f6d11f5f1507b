"""XGBoost models for mlcore: saved, loaded, scored, and recorded by autolog."""
