"""The UI's own viewers of files, declared as a vendor declares one."""

from __future__ import annotations

from mlcore.entities.ui_extension import UIExtension, UIKind

TABLE = "application/vnd.mlcore.table+json"
_IMAGES = "png jpg jpeg gif webp avif bmp ico svg"
_TABLES = "csv tsv jsonl ndjson parquet npy"
_SOUNDS = "wav mp3 ogg oga flac m4a aac opus"
_VIDEOS = "mp4 webm ogv mov m4v"
_TEXTS = (
    "txt log out err md markdown rst py pyi js mjs ts tsx jsx css html htm xml svg json jsonl ndjson geojson ipynb yaml"
    " yml toml ini cfg conf env csv tsv sh bash zsh ps1 bat sql r jl java scala kt go rs c h cc cpp hpp cu cs rb php lua"
    " pl swift dockerfile tf proto diff patch tex bib srt lock properties graphql"
)
_NAMED = "MLmodel MLproject Dockerfile Makefile LICENSE README requirements Procfile conda Gemfile .gitignore"
# what is no text whatever its size
_BINARY = (
    f"{_IMAGES} {_TABLES} {_SOUNDS} {_VIDEOS} pdf zip gz tgz tar bz2 xz 7z pkl pickle joblib pt pth bin onnx h5 keras"
    " safetensors npz so exe whl ubj arrow feather db sqlite"
)
_SMALL_BYTES = 1_000_000


def _ends(names: str) -> tuple[str, ...]:
    return tuple(f"*.{name}" for name in names.split())


def _viewer(name: str, title: str, order: int, match: tuple[str, ...], module: str = "") -> UIExtension:
    path = f"components/viewers/{module or name}.js"
    return UIExtension(UIKind.ARTIFACT_VIEWER, name, title, package="mlcore_ui", module=path, match=match, order=order)


VIEWERS = (
    _viewer("model", "Model", 200, ("/MLmodel",)),
    _viewer("folder", "Files", 210, ("*/",)),
    UIExtension(
        UIKind.ARTIFACT_VIEWER,
        "steps",
        "Through steps",
        package="mlcore_ui",
        module="components/viewers/steps.js",
        match=_ends(_IMAGES),
        series=True,
        order=220,
    ),
    _viewer("image", "Image", 230, _ends(_IMAGES)),
    _viewer("geojson", "Map", 240, ("*.geojson",)),
    _viewer("logged-table", "Table", 250, (TABLE,), "table"),
    _viewer("table", "Table", 260, _ends(_TABLES)),
    _viewer("json", "Tree", 270, _ends("json geojson ipynb")),
    _viewer("yaml", "Tree", 275, (*_ends("yaml yml"), "MLmodel", "MLproject")),
    _viewer("markdown", "Markdown", 280, _ends("md markdown")),
    _viewer("html", "Report", 290, _ends("html htm xhtml"), "report"),
    _viewer("pdf", "Document", 300, ("*.pdf",)),
    _viewer("audio", "Sound", 310, _ends(_SOUNDS), "media"),
    _viewer("video", "Video", 320, _ends(_VIDEOS), "media"),
    _viewer("text", "Text", 330, (*_ends(_TEXTS), *_NAMED.split(), "text/*")),
    # what has no known name is looked into when it is small
    UIExtension(
        UIKind.ARTIFACT_VIEWER,
        "bytes",
        "Text",
        package="mlcore_ui",
        module="components/viewers/text.js",
        match=("*", *(f"!{one}" for one in (*_ends(f"{_TEXTS} {_BINARY}"), *_NAMED.split(), "text/*"))),
        max_bytes=_SMALL_BYTES,
        order=900,
    ),
)
