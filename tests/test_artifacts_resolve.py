"""URIs of runs and models: every text form, every malformed one, and where they lead."""

import pytest
from attrs import frozen

from mlcore.artifacts.repos import open_repo
from mlcore.artifacts.resolve import (
    Location,
    LoggedModelName,
    ModelAliasName,
    ModelLatestName,
    ModelName,
    ModelStageName,
    ModelVersionName,
    RunPath,
    locate,
    parse_models_uri,
    parse_runs_uri,
)
from mlcore.errors import InvalidParameterError, NotFoundError, PluginNotFoundError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.plugins import Plugins
from mlcore.testing.memory_repo import MemoryRepo


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("runs:/abc/model", RunPath("abc", "model")),
        ("runs:/abc/deep/er/model.pkl", RunPath("abc", "deep/er/model.pkl")),
        ("runs:/abc/with space/Grüße#1", RunPath("abc", "with space/Grüße#1")),
        ("runs:/abc", RunPath("abc", "")),
        ("runs:/abc/", RunPath("abc", "")),
        ("runs:///abc/model/", RunPath("abc", "model")),
        ("RUNS:/abc/model", RunPath("abc", "model")),
    ],
)
def test_a_runs_uri_has_a_run_and_a_path(uri: str, expected: RunPath) -> None:
    assert parse_runs_uri(uri) == expected


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("runs:/", "has no run id; expected 'runs:/<run id>/<path>'"),
        ("runs:", "has no slash after runs:"),
        ("runs:abc/model", "has no slash after runs:"),
        ("runs://profile@databricks/abc/model", "names a profile or host, which is not supported: set the tracking"),
        ("runs://abc/model", "names a profile or host"),
        ("runs:/../etc", "expected a path below the artifact root"),
        ("runs:/./x", "has no usable run id"),
        ("runs:/abc/../../etc/passwd", "expected a path below the artifact root"),
        ("runs:/abc/%2e%2e/x", "expected a path below the artifact root"),
        ("models:/m/1", "not a runs:/ URI: 'models:/m/1'"),
        ("/plain/path", "not a runs:/ URI"),
    ],
)
def test_a_malformed_runs_uri_is_refused(uri: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message.replace("(", r"\(")):
        parse_runs_uri(uri)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("models:/wine/3", ModelVersionName("wine", "3")),
        ("models:/wine/007", ModelVersionName("wine", "7")),
        ("models:///wine/3", ModelVersionName("wine", "3")),
        ("models:/wine/Production", ModelStageName("wine", "Production")),
        ("models:/wine/production", ModelStageName("wine", "production")),
        ("models:/wine/latest", ModelLatestName("wine")),
        ("models:/wine/Latest", ModelLatestName("wine")),
        ("models:/wine@champion", ModelAliasName("wine", "champion")),
        ("models:/a@b@champion", ModelAliasName("a@b", "champion")),
        ("models:/a@b/2", ModelVersionName("a@b", "2")),
        ("models:/red wine/2", ModelVersionName("red wine", "2")),
        ("models:/m-0123456789abcdef", LoggedModelName("m-0123456789abcdef")),
        ("models:/wine/²", ModelStageName("wine", "²")),
    ],
)
def test_a_models_uri_names_a_version_stage_alias_or_model(uri: str, expected: ModelName) -> None:
    assert parse_models_uri(uri) == expected


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("models:/", "not a proper models:/ URI: 'models:/'; expected 'models:/<name>/<version>'"),
        ("models:/wine/", "not a proper models:/ URI: 'models:/wine/'"),
        ("models:/wine/1/extra", "not a proper models:/ URI"),
        ("models://wine/1", "names a profile or host"),
        ("models:wine/1", "has no slash after models:"),
        ("models:/@champion", "has no name before '@'"),
        ("models:/wine@", "has no alias after '@'"),
        ("runs:/abc/model", "not a models:/ URI"),
    ],
)
def test_a_malformed_models_uri_is_refused(uri: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        parse_models_uri(uri)


def test_a_password_in_a_profile_is_not_shown() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        parse_runs_uri("runs://me:secret@host/abc/model")

    assert "secret" not in str(caught.value)


def root_of(run_id: str) -> str:
    if run_id != "abc":
        raise NotFoundError(f"no run {run_id!r}")
    return "s3://bucket/0/abc/artifacts"


def test_a_runs_uri_leads_to_the_runs_artifact_root() -> None:
    assert locate("runs:/abc/model", run_root=root_of) == Location("s3://bucket/0/abc/artifacts", "model")


def test_any_other_uri_is_its_own_place() -> None:
    assert locate("gs://bucket/model", run_root=root_of) == Location("gs://bucket/model", "")


def test_an_unknown_run_is_the_stores_error() -> None:
    with pytest.raises(NotFoundError, match="no run 'xyz'"):
        locate("runs:/xyz/model", run_root=root_of)


def test_a_model_version_leads_on_to_its_run() -> None:
    def source(name: ModelName) -> str:
        assert name == ModelAliasName("wine", "champion")
        return "runs:/abc/model"

    found = locate("models:/wine@champion", run_root=root_of, model_source=source)

    assert found == Location("s3://bucket/0/abc/artifacts", "model")


def test_models_without_a_registry_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="'models:/wine/1' names a registered model, which cannot be"):
        locate("models:/wine/1", run_root=root_of)


def test_sources_that_name_each_other_end_in_an_error() -> None:
    with pytest.raises(InvalidParameterError, match="'models:/wine/1' leads round in circles"):
        locate("models:/wine/1", run_root=root_of, model_source=lambda _: "models:/wine/2")


@pytest.mark.parametrize(
    ("location", "name"),
    [
        (Location("s3://bucket/a/b", "c/d.txt"), "d.txt"),
        (Location("s3://bucket/a/b.txt"), "b.txt"),
        (Location("file:///a/b%20c"), "b c"),
        (Location("/a/b%20c"), "b%20c"),
        (Location("s3://bucket"), "artifacts"),
        (Location("s3://bucket/a/b?endpoint=x/y"), "b"),
    ],
)
def test_a_location_has_a_name_for_its_download(location: Location, name: str) -> None:
    assert location.name == name


@frozen(eq=False)
class Fake:
    """A plugin that opens `fake:` URIs, and notes which."""

    asked: list[str]

    @hookimpl
    def artifact_repo(self, uri: str) -> ArtifactRepo | None:
        self.asked.append(uri)
        return MemoryRepo() if uri.startswith("fake:") else None


def test_a_repository_is_opened_by_the_plugin_for_its_scheme() -> None:
    plugins, fake = Plugins(), Fake([])
    plugins.register(fake)

    opened = open_repo("fake://place/x/", plugins)

    assert isinstance(opened, MemoryRepo)
    assert fake.asked == ["fake://place/x"]


@pytest.mark.parametrize(("uri", "what"), [("runs:/abc/x", "a run"), ("models:/m/1", "a registered model")])
def test_a_name_is_not_opened_as_a_place(uri: str, what: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"names {what}, not a place: expected a path or a URI such as"):
        open_repo(uri, Plugins())


def test_an_unknown_scheme_names_the_plugin_to_install() -> None:
    with pytest.raises(PluginNotFoundError, match=r"scheme 's3' .*pip install mlcore-artifacts-s3"):
        open_repo("s3://bucket/x", Plugins())
