"""Requests to HTTP servers, on sockets of the standard library: kept connections, retries, TLS, proxies, credentials."""
