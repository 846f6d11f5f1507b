"""The options of `mlcore server` are those that scripts for MLflow's server use."""

from __future__ import annotations

import click
import pytest
from mlcore_server.command import server


@pytest.mark.parametrize(("short", "name", "value"), [("-h", "host", "::1"), ("-p", "port", 0), ("-w", "workers", 2)])
def test_the_letters_of_mlflow_mean_the_same(short: str, name: str, value: object) -> None:
    assert isinstance(server, click.Command)

    found = server.make_context("server", [short, str(value)])

    assert found.params[name] == value
