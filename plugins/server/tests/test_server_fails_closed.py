"""A server whose plugins do not work does not start without them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mlcore_server.parts import gather

from mlcore.errors import PluginError, SettingsError
from mlcore.hookspecs import WebContext
from mlcore.plugins import PluginEntry, Plugins

BROKEN = {
    "at_import": "raise RuntimeError('no such library')",
    "in_the_hook": "from mlcore.hookspecs import hookimpl\nfrom mlcore.errors import SettingsError\n"
    "@hookimpl\ndef web(context): raise SettingsError('everybody may write')",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_plugin_that_fails_to_add_to_the_server_stops_the_start(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"authority_broken_{name}.py").write_text(BROKEN[name])
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = Plugins([PluginEntry("web", "mine", f"authority_broken_{name}", "auth-mine", "1.0")])

    with pytest.raises(PluginError, match=r"plugin auth-mine 1.0 .* fails to add to the server: \w+: .*") as refused:
        gather(plugins, WebContext("sqlite://", "sqlite://", str(tmp_path)))

    assert isinstance(refused.value.__cause__, RuntimeError | SettingsError | PluginError)
    sys.modules.pop(f"authority_broken_{name}", None)
