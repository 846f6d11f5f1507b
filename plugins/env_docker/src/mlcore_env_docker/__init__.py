"""Containers as environments of mlcore projects."""
