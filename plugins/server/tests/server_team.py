"""A server with mlcore-auth-basic, and people who use it; for the tests beside this module."""

from __future__ import annotations

from typing import Any

import httpx

from mlcore.testing.live_server import LiveServer

API = "/api/2.0/mlflow"
PASSWORD = "a long enough pass phrase"


class Team:
    """A server with an admin and a user."""

    def __init__(self, server: LiveServer) -> None:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        self.url = server.url
        self.directory = server.directory
        first = {"token": token, "username": "root", "password": PASSWORD}
        made = httpx.post(f"{server.url}/api/mlcore/auth/bootstrap", json=first, timeout=30, trust_env=False)
        assert made.status_code == 200, made.text
        self.root = self.login("root")
        made = self.root.post(f"{API}/users/create", json={"username": "ann", "password": PASSWORD})
        assert made.status_code == 200, made.text
        self.ann = self.login("ann")

    def login(self, name: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=(name, PASSWORD), timeout=30, trust_env=False)

    def trail(self) -> list[dict[str, Any]]:
        answer = self.root.get("/api/mlcore/audit", params={"max_results": 1000})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["entries"]
        return found
