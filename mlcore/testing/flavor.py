"""The contract suite of flavors.

To use it, inherit in a test module and give four fixtures:

    class TestMyFlavor(FlavorContract):
        plugin_module = "mlcore_flavor_mine.plugin"

        @pytest.fixture
        def flavor(self) -> Flavor: ...       # the flavor

        @pytest.fixture
        def model(self) -> object: ...        # a small trained model

        @pytest.fixture
        def data(self) -> object: ...         # what to predict for

        @pytest.fixture
        def expected(self) -> object: ...     # the predictions
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import contextlib
import copy
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlcore.errors import InvalidParameterError, MissingDependencyError, MlcoreError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import AutologOptions, Flavor, SavedModel, SupportsAutolog
from mlcore.models.loading import Opened, open_model
from mlcore.models.manifest import write_manifest
from mlcore.models.mlmodel import PYFUNC, new_model
from mlcore.plugins import Plugins
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.wire.yaml_text import dump_yaml, load_yaml


def canary(cage: Path) -> bytes:
    """Return a pickle that makes the directory *cage* when it is loaded: whoever finds it knows that code was run."""
    return b"cos\nmkdir\n(V" + str(cage).encode("raw-unicode-escape") + b"\ntR."


def plain(value: object) -> object:
    """Return *value* as lists and numbers where it is an array, a table or a tuple."""
    for name in ("to_numpy", "tolist"):
        convert = getattr(value, name, None)
        if convert is not None:
            value = convert()
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _files(directory: Path) -> dict[str, bytes]:
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


class FlavorFixtures(PluginModuleContract):
    """What the tests of flavors stand on."""

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        """Return an empty directory for a model."""
        (tmp_path / "model").mkdir()
        return tmp_path / "model"

    @pytest.fixture
    def saved(self, flavor: Flavor, model: object, directory: Path) -> SavedModel:
        """Save the model without options."""
        return flavor.save(model, directory, {})

    @pytest.fixture
    def save_options(self) -> tuple[Mapping[str, object], ...]:
        """Return further options under which the model has to come back the same."""
        return ()


class RoundTripContract(FlavorFixtures):
    """What saving and loading have to do."""

    def test_the_flavor_has_the_methods_of_the_contract_and_a_name(self, flavor: Flavor) -> None:
        assert isinstance(flavor, Flavor)
        assert flavor.name

    def test_the_model_is_known_and_others_are_not(self, flavor: Flavor, model: object) -> None:
        assert flavor.can_save(model) is True
        assert [flavor.can_save(each) for each in (None, object(), {}, "text", lambda: 1)] == [False] * 5

    def test_looking_at_a_model_imports_nothing(self, flavor: Flavor) -> None:
        before = set(sys.modules)

        flavor.can_save(object())

        assert set(sys.modules) == before

    def test_predictions_are_those_of_the_model_that_was_saved(
        self, flavor: Flavor, saved: SavedModel, directory: Path, data: object, expected: object
    ) -> None:
        loaded = flavor.predictor(directory, saved.config, saved.pyfunc)

        assert plain(loaded.predict(data, {})) == plain(expected)

    def test_every_way_of_saving_predicts_the_same(
        self,
        flavor: Flavor,
        model: object,
        tmp_path: Path,
        data: object,
        expected: object,
        save_options: tuple[Mapping[str, object], ...],
    ) -> None:
        for number, options in enumerate(save_options):
            folder = tmp_path / str(number)
            folder.mkdir()

            saved = flavor.save(model, folder, options)

            loaded = flavor.predictor(folder, saved.config, saved.pyfunc)
            assert plain(loaded.predict(data, {})) == plain(expected), options

    def test_predicting_leaves_the_data_as_they_were(
        self, flavor: Flavor, saved: SavedModel, directory: Path, data: object
    ) -> None:
        before = copy.deepcopy(plain(data))
        loaded = flavor.predictor(directory, saved.config, saved.pyfunc)

        first = plain(loaded.predict(data, {}))

        assert plain(data) == before
        assert plain(loaded.predict(data, {})) == first

    def test_a_loaded_model_is_of_the_flavor_and_can_be_saved_again(
        self, flavor: Flavor, saved: SavedModel, directory: Path, tmp_path: Path, data: object, expected: object
    ) -> None:
        again = tmp_path / "again"
        again.mkdir()

        loaded = flavor.load(directory, saved.config)

        assert flavor.can_save(loaded)
        resaved = flavor.save(loaded, again, {})
        found = flavor.predictor(again, resaved.config, resaved.pyfunc).predict(data, {})
        assert plain(found) == plain(expected)

    def test_a_model_that_was_moved_is_loaded(
        self, flavor: Flavor, saved: SavedModel, directory: Path, tmp_path: Path, data: object, expected: object
    ) -> None:
        moved = tmp_path / "elsewhere" / "with space"
        moved.parent.mkdir()
        shutil.move(directory, moved)

        assert plain(flavor.predictor(moved, saved.config, saved.pyfunc).predict(data, {})) == plain(expected)

    def test_loading_leaves_the_directory_as_it_was(self, flavor: Flavor, saved: SavedModel, directory: Path) -> None:
        before = _files(directory)

        flavor.code_in(directory, saved.config)
        flavor.load(directory, saved.config)
        flavor.predictor(directory, saved.config, saved.pyfunc)

        assert _files(directory) == before


class MetadataContract(FlavorFixtures):
    """What a flavor tells of what it wrote."""

    def test_something_is_written_and_only_into_the_directory(
        self, flavor: Flavor, model: object, directory: Path, tmp_path: Path
    ) -> None:
        before = sorted(path for path in tmp_path.rglob("*") if directory not in path.parents)

        flavor.save(model, directory, {})

        assert _files(directory)
        assert sorted(path for path in tmp_path.rglob("*") if directory not in path.parents) == before

    def test_metadata_are_plain_yaml_values(self, saved: SavedModel) -> None:
        for section in (saved.config, saved.pyfunc):
            assert load_yaml(dump_yaml(dict(section)), "the metadata") == dict(section)

    def test_python_function_is_told_loader_and_place(self, saved: SavedModel) -> None:
        assert saved.pyfunc.get("loader_module")
        assert {"model_path", "data", "python_model"} & set(saved.pyfunc)

    def test_paths_in_the_metadata_lead_to_files_in_the_directory(self, saved: SavedModel, directory: Path) -> None:
        for key in ("model_path", "data", "python_model"):
            for section in (saved.config, saved.pyfunc):
                value = section.get(key)
                if value is not None:
                    assert not Path(str(value)).is_absolute()
                    assert (directory / str(value)).exists()

    def test_requirements_are_names_without_versions(self, saved: SavedModel) -> None:
        for name in saved.requirements:
            assert name.replace("-", "").replace("_", "").replace(".", "").isalnum(), name

    def test_saving_twice_tells_the_same(
        self, flavor: Flavor, model: object, saved: SavedModel, tmp_path: Path
    ) -> None:
        second = tmp_path / "second"
        second.mkdir()

        assert flavor.save(model, second, {}) == saved

    def test_an_unknown_option_is_named_in_the_error(self, flavor: Flavor, model: object, directory: Path) -> None:
        with pytest.raises(InvalidParameterError, match="'no_such_option'"):
            flavor.save(model, directory, {"no_such_option": 1})


class TrustContract(FlavorFixtures):
    """What a flavor does with files that it did not write itself."""

    def test_asking_for_code_runs_none(
        self, flavor: Flavor, saved: SavedModel, directory: Path, tmp_path: Path
    ) -> None:
        cage = _plant(directory, tmp_path)

        with contextlib.suppress(MlcoreError):  # to refuse the file is a good answer as well
            flavor.code_in(directory, saved.config)

        assert not cage.exists()

    def test_a_planted_pickle_is_told_or_never_run(
        self, flavor: Flavor, saved: SavedModel, directory: Path, tmp_path: Path
    ) -> None:
        cage = _plant(directory, tmp_path)
        try:
            told = flavor.code_in(directory, saved.config)
        except MlcoreError as refused:
            told = str(refused)
        if told is not None:
            return  # the kernel asks the user before it goes on

        with pytest.raises(MlcoreError):
            flavor.load(directory, saved.config)
        with pytest.raises(MlcoreError):
            flavor.predictor(directory, saved.config, saved.pyfunc)

        assert not cage.exists()

    def test_no_way_of_loading_a_foreign_directory_runs_its_code_without_trust(
        self, flavor: Flavor, model: object, tmp_path: Path, save_options: tuple[Mapping[str, object], ...]
    ) -> None:
        for number, options in enumerate(({}, *save_options)):
            folder = tmp_path / f"foreign-{number}"
            folder.mkdir()
            saved = flavor.save(model, folder, options)
            cage = _plant(folder, tmp_path)
            opened = _foreign(flavor, saved, folder)

            with pytest.raises(MlcoreError):
                opened.predictor()
            with pytest.raises(MlcoreError):
                opened.native(flavor.name)

            assert not cage.exists(), options

    def test_a_missing_file_is_named_in_the_error(self, flavor: Flavor, saved: SavedModel, directory: Path) -> None:
        gone = [path for path in directory.rglob("*") if path.is_file()]
        for path in gone:
            path.unlink()

        with pytest.raises(MlcoreError) as caught:
            flavor.load(directory, saved.config)

        assert any(path.name in str(caught.value) for path in gone)

    def test_a_damaged_file_is_an_error_and_no_model(self, flavor: Flavor, saved: SavedModel, directory: Path) -> None:
        for path in directory.rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

        with pytest.raises(MlcoreError) as caught:
            flavor.predictor(directory, saved.config, saved.pyfunc)

        assert any(path.name in str(caught.value) for path in directory.rglob("*") if path.is_file())


def _plant(directory: Path, tmp_path: Path) -> Path:
    """Replace every file by a pickle that tells when it is loaded."""
    cage = tmp_path / "canary-was-here"
    for path in directory.rglob("*"):
        if path.is_file():
            path.write_bytes(canary(cage))
    return cage


def _foreign(flavor: Flavor, saved: SavedModel, directory: Path) -> Opened:
    """Open a directory as somebody would send it who means harm: described, with a manifest that fits, not trusted."""

    class Only:
        @hookimpl
        def flavor(self, name: str) -> Flavor | None:
            return flavor if name == flavor.name else None

    plugins = Plugins()
    plugins.register(Only())
    sections: dict[str, Mapping[str, object]] = {PYFUNC: saved.pyfunc}
    if flavor.name != PYFUNC:
        sections[flavor.name] = saved.config
    new_model(sections, "0.1.0").write(directory)
    write_manifest(directory)
    return open_model(directory, plugins=plugins, trusted_places=())


class FlavorContract(RoundTripContract, MetadataContract, TrustContract):
    """Everything that the kernel relies on in a flavor."""

    def test_autologging_stops_as_often_as_it_is_told(self, flavor: Flavor) -> None:
        if not isinstance(flavor, SupportsAutolog):
            pytest.skip("the flavor does not record training by itself")
        try:
            stop = flavor.autolog(AutologOptions())
        except MissingDependencyError as err:
            pytest.skip(str(err))

        stop()
        stop()
