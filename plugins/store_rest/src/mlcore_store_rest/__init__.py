"""Tracking store and registry store of mlcore that ask an mlcore or MLflow server."""
