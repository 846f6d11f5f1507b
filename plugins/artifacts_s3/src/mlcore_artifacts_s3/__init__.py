"""Artifact repository of mlcore in Amazon S3 and compatible object storage."""
