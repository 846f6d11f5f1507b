"""Whose permission a path in the artifact proxy needs: that of the experiment where the file is, however it is spelled."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlcore_server.access import Access
from mlcore_server.config import ServerConfig
from mlcore_server.files.spots import proxied
from mlcore_server.stores import Stores

from mlcore.entities import Action, Permission, Resource
from mlcore.errors import InvalidParameterError
from mlcore.plugins import Plugins
from mlcore.wire import requests_artifacts as r

NEED = Permission(Action.READ, "experiment", "path")


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    config = ServerConfig(
        tracking_uri=uri, registry_uri=uri, artifacts_destination=tmp_path.as_uri(), state_dir=str(tmp_path)
    )
    return Stores(config, Plugins.discover())


@pytest.mark.parametrize("path", ["1/x", "./1/x", "1//x", ".//./1/x", "1/./x", "1/", "1"])
def test_every_spelling_of_a_path_belongs_to_the_experiment_where_it_leads(stores: Stores, path: str) -> None:
    access = Access(None, stores)
    spot = proxied(stores, path)

    assert spot.path.partition("/")[0] == "1"
    assert access.resources(NEED, r.ProxyPath(artifact_path=path)) == (Resource("experiment", "1"),)
    assert access.resources(NEED, r.ProxyList(path=path)) == (Resource("experiment", "1"),)


@pytest.mark.parametrize("path", ["", ".", "./"])
def test_the_root_belongs_to_no_experiment(stores: Stores, path: str) -> None:
    assert Access(None, stores).resources(NEED, r.ProxyList(path=path)) == (Resource("experiment"),)


@pytest.mark.parametrize("path", ["2/../1/x", "/1/x", "%2e/%2e%2e/1"])
def test_a_way_out_belongs_to_nobody(stores: Stores, path: str) -> None:
    with pytest.raises(InvalidParameterError, match="invalid artifact path"):
        Access(None, stores).resources(NEED, r.ProxyPath(artifact_path=path))


def test_the_name_of_a_file_that_comes_in_parts_is_nobodys(stores: Stores) -> None:
    request = r.CreateUpload(artifact_path="", path="/1/x", num_parts=1)

    assert Access(None, stores).resources(NEED, request) == (Resource("experiment"),)
