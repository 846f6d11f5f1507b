"""Contract suites and helpers for the tests of plugins."""
