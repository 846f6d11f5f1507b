"""Users, API tokens, permissions and an audit log for the tracking server."""
