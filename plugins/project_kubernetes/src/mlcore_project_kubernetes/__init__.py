"""Kubernetes as a backend of mlcore projects."""
