"""What saving and loading refuse, with messages that name it."""

from pathlib import Path

import pytest

import mlcore
from mlcore.errors import InvalidParameterError, PluginNotFoundError


@pytest.mark.parametrize("uri", [None, 3, b"model"])
def test_loading_from_something_that_is_no_uri_is_refused(uri: object) -> None:
    with pytest.raises(InvalidParameterError, match=r"invalid model URI .*: expected a path or a URI"):
        mlcore.pyfunc.load_model(uri)


def test_a_place_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InvalidParameterError, match=r"can't save a model to '.*file/model': .*name a directory"):
        mlcore.models.save_model(lambda data: data, tmp_path / "file" / "model")


def test_a_flavor_that_does_not_fit_the_object_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match=r"flavor 'sklearn' does not save an object of type builtins\.dict"):
        mlcore.models.save_model({"a": 1}, tmp_path / "model", flavor="sklearn")
    assert not (tmp_path / "model").exists()


def test_a_flavor_that_is_not_installed_is_named_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(PluginNotFoundError, match=r"'spark'.*pip install mlcore-flavor-spark"):
        mlcore.models.save_model(object(), tmp_path / "model", flavor="spark")
