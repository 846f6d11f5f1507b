"""Imports point down the layers, and every library outside of the standard library has one home."""

from __future__ import annotations

import ast
import sys

import sourcecode

# A part may import parts with a smaller number; parts with the same number are one layer, whose modules see each
# other up to PEERS and are strangers from there on, but for the pairs in MAY_SEE.
LAYERS = {
    "errors": 1,
    "exceptions": 1,
    "uris": 1,
    "settings": 1,
    "entities": 2,
    "wire": 2,
    "remote": 2,
    "journal": 2,
    "interfaces": 3,
    "hookspecs": 3,
    "plugin_index": 4,
    "plugin_metadata": 4,
    "plugin_bridges": 4,
    "plugin_trace": 4,
    "plugin_check": 4,
    "plugin_probe": 4,
    "scaffold": 5,
    "plugins": 4,
    "artifacts": 5,
    "delivery": 6,
    "registry": 6,
    "tracking": 7,
    "models": 7,
    "projects": 7,
    "deployments": 7,
    "serving": 8,
    "moving": 9,
    "cli": 10,
    "testing": 10,
}
PEERS = 5
MAY_SEE = {
    ("models", "tracking"),  # log_model records through the fluent API
    ("projects", "tracking"),  # runs of projects are recorded with the same handles, heartbeats and journals
}

# Where the kernel may import what is not in the standard library; naming a type of it is free.
HOMES = {
    "attrs": set(LAYERS),
    "pluggy": {"hookspecs", "plugins", "plugin_probe"},
    "importlib_metadata": {"plugin_index", "plugin_metadata", "models"},
    "cattrs": {"wire"},
    "yaml": {"wire"},
    "cloudpickle": {"models"},
    "click": {"cli"},
    "starlette": {"serving"},
    "uvicorn": {"serving"},
    "orjson": {"serving"},
    "pytest": {"testing"},
    "hypothesis": {"testing"},
    # not dependencies: used when the caller brings their objects
    "numpy": {"tracking", "models", "serving", "deployments", "testing"},
    "pandas": {"tracking", "models", "serving", "deployments", "testing"},
    "scipy": {"models", "testing"},
    "matplotlib": {"tracking", "models"},
    "PIL": {"tracking"},
    "pyarrow": {"serving"},
    "picklescan": {"models"},
    "cryptography": {"models"},
    "skops": {"models"},
    "sklearn": {"models"},
}


def test_the_kernels_imports_point_down_the_layers() -> None:
    wrong = [
        f"{source.at(found.line)}: {source.name} imports {found.module}"
        for source in sourcecode.kernel()
        for found in sourcecode.imports(source)
        if source.part and found.top == "mlcore" and not _may_import(source.part, found)
    ]

    assert not wrong, "\n".join(wrong)


def _may_import(part: str, found: sourcecode.Import) -> bool:
    if found.module == "mlcore":
        return found.names == ("__version__",)
    target = found.module.split(".")[1]
    if target == part:
        return True
    if target not in LAYERS or part not in LAYERS:
        return False
    if LAYERS[target] == LAYERS[part]:
        return LAYERS[part] < PEERS or (part, target) in MAY_SEE
    return LAYERS[target] < LAYERS[part]


def test_every_part_of_the_kernel_has_a_layer() -> None:
    parts = {source.part for source in sourcecode.kernel()} - {""}

    assert parts - set(LAYERS) == set()


def test_the_kernel_never_imports_a_plugin() -> None:
    wrong = [
        source.at(found.line)
        for source in sourcecode.kernel()
        for found in sourcecode.imports(source)
        if found.top.startswith("mlcore_")
    ]

    assert not wrong, "\n".join(wrong)


def test_a_plugin_imports_no_other_plugin() -> None:
    wrong = [
        f"{source.at(found.line)}: {found.module}"
        for source in sourcecode.plugins()
        for found in sourcecode.imports(source)
        if found.top.startswith("mlcore_") and found.top != source.package
    ]

    assert not wrong, "\n".join(wrong)


def test_a_plugin_imports_public_names_of_the_kernel_only() -> None:
    wrong = [
        f"{source.at(found.line)}: {found.module} {' '.join(found.names)}"
        for source in sourcecode.plugins()
        for found in sourcecode.imports(source)
        if found.top == "mlcore"
        and any(name.startswith("_") and name != "__version__" for name in (*found.module.split("."), *found.names))
    ]

    assert not wrong, "\n".join(wrong)


def test_each_library_has_one_home_in_the_kernel() -> None:
    wrong = [
        f"{source.at(found.line)}: {found.top} has no business in {source.name}"
        for source in sourcecode.kernel()
        for found in sourcecode.imports(source)
        if _is_third_party(found.top) and not found.typing_only and source.part not in HOMES.get(found.top, set())
    ]

    assert not wrong, "\n".join(wrong)


def test_plugin_modules_import_the_standard_library_and_mlcore_when_they_load() -> None:
    wrong = [
        f"{source.at(found.line)}: {found.module}"
        for source in sourcecode.plugins()
        if source.name.endswith(".plugin")
        for found in sourcecode.imports(source)
        if found.at_load and found.top != "mlcore" and found.top not in sys.stdlib_module_names
    ]

    assert not wrong, "\n".join(wrong)


def _is_third_party(top: str) -> bool:
    return not top.startswith("mlcore") and top not in sys.stdlib_module_names


# Calls that run code or shells, or that let others read what we write; with where each is meant.
DANGEROUS_NAMES = {"eval", "exec", "__import__"}
DANGEROUS_CALLS = {
    "os.system",
    "os.popen",
    "tempfile.mktemp",
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.load_all",
}
LOADERS = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
MAY_LOAD_CODE = {
    # a user's own Python model is a cloudpickle; read only after the decision of mlcore.models on trust
    "mlcore.models.python_flavor": {"cloudpickle", "pickle"},
    # for flavors whose library knows no other format, after the same decision
    "mlcore.models.flavor_files": {"cloudpickle", "pickle"},
    # writes on request
    "mlcore_flavor_pytorch.flavor": {"cloudpickle"},
}


def test_nothing_runs_text_as_code_or_through_a_shell() -> None:
    wrong = [
        f"{source.at(node.lineno)}: {ast.unparse(node)[:80]}"
        for source in (*sourcecode.kernel(), *sourcecode.plugins())
        for safe_loaders in [_safe_loaders(source)]
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _is_dangerous(node, safe_loaders)
    ]

    assert not wrong, "\n".join(wrong)


def _safe_loaders(source: sourcecode.Source) -> set[str]:
    """The names in the module that stand for the safe loader of YAML or for a class derived from it."""
    derived = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and any("SafeLoader" in ast.unparse(base) for base in node.bases):
            derived.add(node.name)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and "SafeLoader" in ast.unparse(node.value):
            derived.add(ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]))
    return derived | {"SafeLoader", "CSafeLoader", "yaml.SafeLoader", "yaml.CSafeLoader"}


def _is_dangerous(call: ast.Call, safe_loaders: set[str]) -> bool:
    called = ast.unparse(call.func)
    named = {k.arg: k.value for k in call.keywords}
    shell = named.get("shell")
    if shell is not None and not (isinstance(shell, ast.Constant) and not shell.value):
        return True
    if called == "yaml.load":
        return ast.unparse(named.get("Loader", ast.Constant(None))) not in safe_loaders
    return called in DANGEROUS_NAMES or called in DANGEROUS_CALLS


def test_what_can_run_code_on_loading_is_imported_in_named_places_only() -> None:
    wrong = [
        f"{source.at(found.line)}: {found.top}"
        for source in (*sourcecode.kernel(), *sourcecode.plugins())
        for found in sourcecode.imports(source)
        if found.top in LOADERS and found.top not in MAY_LOAD_CODE.get(source.name, set())
    ]

    assert not wrong, "\n".join(wrong)
