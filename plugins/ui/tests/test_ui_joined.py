"""Modules that are served as one file."""

from __future__ import annotations

from mlcore_ui.assets import Assets, load, made
from mlcore_ui.joined import Joined, join
from mlcore_ui.page import MAIN

_FILES = {
    "app/main.js": 'import { html } from "../lib/html.js";\nimport "./routes.js";\nhtml();\n',
    "app/routes.js": 'export const pages = () => import("../pages/one/one.js");\n',
    "lib/html.js": 'import { h as make } from "preact";\nexport function html() { return make; }\n',
    "lib/odd.js": 'export * from "./html.js";\n',
    "pages/one/one.js": 'import { part } from "./part.js";\nimport { odd } from "../../lib/odd.js";\nexport default function One() { return part(odd); }\n',
    "pages/one/part.js": 'export const part = (x) => import("./later.js");\n',
    "pages/one/later.js": 'import { part } from "./part.js";\nexport const later = part;\n',
    "styles/a.css": "a {}",
    "styles/b.css": "b {}",
}


def joined() -> Joined:
    return join(Assets("0", {path: made(path, text.encode()) for path, text in _FILES.items()}), "app/main.js")


def test_what_the_start_needs_is_one_file_and_a_page_another() -> None:
    assert joined().homes == {
        "lib/html.js": "app/main.js",
        "app/routes.js": "app/main.js",
        "pages/one/part.js": "pages/one/one.js",
    }


def test_what_is_loaded_later_is_found_from_where_the_text_now_stands() -> None:
    found = joined().assets.files
    assert b'import("../pages/one/one.js")' in found["app/main.js"].body
    assert b'import("./later.js")' in found["pages/one/one.js"].body


def test_descriptions_are_not_sent() -> None:
    text = "/**\n * Draw *it*.\n */\nexport const part = /** @type {any} */ (1); // as it is\n  /** What. */\n"
    found = join(
        Assets("0", {path: made(path, one.encode()) for path, one in {**_FILES, "pages/one/part.js": text}.items()}),
        "app/main.js",
    )
    body = found.assets.files["pages/one/one.js"].body
    assert b"Draw" not in body
    assert b"What" not in body
    assert b"const part = /** @type {any} */ (1); // as it is\n" in body


def test_a_module_of_a_form_that_is_not_understood_stays_a_file() -> None:
    found = joined()
    assert b'import * as $o0 from "../../lib/odd.js";' in found.assets.files["pages/one/one.js"].body
    assert found.assets.files["lib/odd.js"].body == _FILES["lib/odd.js"].encode()


def test_a_name_of_two_modules_is_handed_on_by_a_file() -> None:
    files = {**_FILES, "lib/html.js": "export const pages = 1;\nexport function html() {}\n"}
    found = join(Assets("0", {path: made(path, text.encode()) for path, text in files.items()}), "app/main.js")
    assert found.homes.keys() == {"pages/one/part.js"}
    assert found.assets.files["lib/html.js"].body == (
        b'import { $m0 } from "../app/main.js";\n'
        b"const { pages: $m0_pages, html: $m0_html } = $m0;\nexport { $m0_pages as pages, $m0_html as html };\n"
    )


def test_names_that_are_handed_on_hide_nothing_of_the_browser() -> None:
    files = {**_FILES, "lib/html.js": "export const history = 1;\nexport function html() {}\n"}
    found = join(Assets("0", {path: made(path, text.encode()) for path, text in files.items()}), "app/main.js")
    text = found.assets.files["app/main.js"].body.decode()
    assert "\nconst { history: $m0_history, html: $m0_html } = $m0;\n" in text


def test_all_sheets_are_one_in_their_order() -> None:
    found = joined()
    assert found.assets.files[found.style].body == b"a {}\nb {}"


def test_the_address_changes_with_any_file() -> None:
    assets = Assets("0", {path: made(path, text.encode()) for path, text in _FILES.items()})
    changed = Assets("0", {**assets.files, "pages/one/later.js": made("later.js", b"export const later = 2;")})
    assert join(assets, "app/main.js").assets.digest != join(changed, "app/main.js").assets.digest


def test_the_frame_of_all_pages_is_joined() -> None:
    homes = join(load("mlcore_ui"), MAIN).homes
    assert {homes.get(path) for path in ("lib/html.js", "lib/url.js", "app/frame.js")} == {MAIN}


def test_a_part_that_is_smaller_than_a_request_comes_with_the_start() -> None:
    files = {**_FILES, "components/dot.js": 'import { html } from "../lib/html.js";\nexport const dot = html;\n'}
    files["pages/one/one.js"] += 'import { dot } from "../../components/dot.js";\n'
    found = join(Assets("0", {path: made(path, text.encode()) for path, text in files.items()}), "app/main.js")
    assert found.homes["components/dot.js"] == "app/main.js"
