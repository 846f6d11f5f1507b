"""MLflow's own clients for users and permissions, of MLflow 2.22 and 3.17, against a real server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from auth_basic_town import OPERATOR, PHRASE, Town, app

Require = Callable[[str, bool, str], None]

ROOT = Path(__file__).resolve().parents[3]
MLFLOW_2 = ROOT / ".cache" / "peers" / "mlflow-2.22" / "bin" / "python"

PRELUDE = """
import json, os, sys
from mlflow.exceptions import RestException
from mlflow.server.auth.client import AuthServiceClient

def code(call, *args):
    try:
        call(*args)
    except RestException as error:
        return error.error_code
    return "done"

def as_user(name, word):
    os.environ.pop("MLFLOW_TRACKING_TOKEN", None)
    os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"] = name, word
    return AuthServiceClient(sys.argv[1])

word = sys.argv[2]
root = as_user("root", word)
found = {}
made = root.create_user("ada", word)
found["made"] = [made.username, made.is_admin, made.password_hash]
found["again"] = code(root.create_user, "ada", word)
root.create_user("bob", word)
found["unknown"] = code(root.get_user, "nobody")
root.update_user_admin("bob", True)
found["bob"] = root.get_user("bob").is_admin
root.update_user_admin("bob", False)
root.update_user_password("ada", word + " anew")
ada = as_user("ada", word)
found["old word"] = code(ada.get_user, "ada")
ada = as_user("ada", word + " anew")
found["self"] = ada.get_user("ada").id == made.id
found["stranger"] = code(ada.create_user, "eve", word)
"""

OF_2 = """
root = as_user("root", word)
p = root.create_experiment_permission("7", "ada", "MANAGE")
found["created"] = [p.experiment_id, p.user_id == made.id, p.permission]
ada = as_user("ada", word + " anew")
ada.create_experiment_permission("7", "bob", "READ")
ada.update_experiment_permission("7", "bob", "EDIT")
found["updated"] = ada.get_experiment_permission("7", "bob").permission
ada.delete_experiment_permission("7", "bob")
found["deleted"] = code(ada.get_experiment_permission, "7", "bob")
found["other"] = code(ada.create_experiment_permission, "8", "bob", "READ")
root = as_user("root", word)
root.create_registered_model_permission("wine", "ada", "NO_PERMISSIONS")
root.update_registered_model_permission("wine", "ada", "READ")
found["model"] = root.get_registered_model_permission("wine", "ada").permission
user = root.get_user("ada")
found["lists"] = [[x.experiment_id for x in user.experiment_permissions], [x.name for x in user.registered_model_permissions]]
root.delete_registered_model_permission("wine", "ada")
found["self word"] = code(as_user("ada", word + " anew").update_user_password, "ada", word + " again")
as_user("root", word).delete_user("ada")
found["gone"] = code(as_user("root", word).get_user, "ada")
print(json.dumps(found))
"""

OF_3 = """
root = as_user("root", word)
role = root.create_role("default", "team", "those who train")
line = root.add_role_permission(role.id, "experiment", "*", "READ")
line = root.update_role_permission(line.id, "EDIT")
found["line"] = [line.resource_type, line.resource_pattern, line.permission]
root.assign_role("ada", role.id)
root.update_role(role.id, name="crew")
found["role"] = [root.get_role(role.id).name, [x.name for x in root.list_roles("default")], len(root.list_all_roles())]
found["members"] = [x.user_id == made.id for x in root.list_role_users(role.id)]
found["roles"] = [[r.name, len(r.permissions)] for r in root.list_user_roles("ada")]
root.grant_user_permission("ada", "registered_model", "wine", "MANAGE")
ada = as_user("ada", word + " anew")
ada.grant_user_permission("bob", "registered_model", "wine", "READ")
found["other"] = code(ada.grant_user_permission, "bob", "experiment", "8", "READ")
seen = [ada.get_user_permission("ada", *what) for what in (("experiment", "1"), ("registered_model", "wine"), ("registered_model", "x"))]
found["effective"] = [[x.allowed, x.permission] for x in seen]
ada.revoke_user_permission("bob", "registered_model", "wine")
found["self word"] = code(ada.update_user_password, "ada", word + " again", word + " anew")
root = as_user("root", word)
root.remove_role_permission(line.id)
found["empty"] = root.list_role_permissions(role.id)
root.unassign_role("ada", role.id)
root.delete_role(role.id)
found["no role"] = code(root.get_role, role.id)
found["workspace"] = code(root.create_role, "elsewhere", "team")
root.delete_user("ada")
os.environ.pop("MLFLOW_TRACKING_USERNAME"); os.environ.pop("MLFLOW_TRACKING_PASSWORD")
os.environ["MLFLOW_TRACKING_TOKEN"] = sys.argv[3]
found["by token"] = AuthServiceClient(sys.argv[1]).get_user("root").is_admin
print(json.dumps(found))
"""

BOTH = {
    "made": ["ada", False, "REDACTED"],
    "again": "RESOURCE_ALREADY_EXISTS",
    "unknown": "RESOURCE_DOES_NOT_EXIST",
    "bob": True,
    "old word": "UNAUTHENTICATED",
    "self": True,
    "stranger": "PERMISSION_DENIED",
    "self word": "done",
}


@pytest.fixture
def address(town: Town) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app(town.authority), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)


def drive(python: Path, script: str, *arguments: str) -> dict[str, object]:
    environ = {**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "GIT_PYTHON_REFRESH": "quiet"}
    done = subprocess.run(
        [str(python), "-c", PRELUDE + script, *arguments], env=environ, capture_output=True, text=True, timeout=170
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def has_auth_client(python: Path) -> bool:
    # the package is asked, not imported: MLflow takes seconds
    code = "from importlib.util import find_spec as f; raise SystemExit(not (f('mlflow') and f('flask_wtf')))"
    return python.exists() and subprocess.run([str(python), "-c", code], check=False).returncode == 0


def test_the_client_of_mlflow_3_manages_users_roles_and_permissions(
    town: Town, address: str, peer_mlflow: Path, require: Require
) -> None:
    require("mlflow", has_auth_client(peer_mlflow), "pip install 'mlflow[auth]' into the environment of `make peer`")
    town.authority.administration.add_user(OPERATOR, "root", PHRASE, is_admin=True)
    token = town.token("root").headers["authorization"].removeprefix("Bearer ")

    found = drive(peer_mlflow, OF_3, address, PHRASE, token)

    assert found == BOTH | {
        "line": ["experiment", "*", "EDIT"],
        "role": ["crew", ["crew"], 1],
        "members": [True],
        "roles": [["crew", 1]],
        "other": "PERMISSION_DENIED",
        "effective": [[True, "EDIT"], [True, "MANAGE"], [False, "NO_PERMISSIONS"]],
        "empty": [],
        "no role": "RESOURCE_DOES_NOT_EXIST",
        "workspace": "INVALID_PARAMETER_VALUE",
        "by token": True,
    }
    assert PHRASE not in repr(town.audited())
    assert token not in repr(town.audited())


def test_the_client_of_mlflow_2_manages_users_and_permissions(town: Town, address: str, require: Require) -> None:
    require(
        "mlflow-2.22", has_auth_client(MLFLOW_2), f"an environment with mlflow[auth]==2.22.5 at {MLFLOW_2.parents[1]}"
    )
    town.authority.administration.add_user(OPERATOR, "root", PHRASE, is_admin=True)

    found = drive(MLFLOW_2, OF_2, address, PHRASE)

    assert found == BOTH | {
        "created": ["7", True, "MANAGE"],
        "updated": "EDIT",
        "deleted": "RESOURCE_DOES_NOT_EXIST",
        "other": "PERMISSION_DENIED",
        "model": "READ",
        "lists": [["7"], ["wine"]],
        "gone": "RESOURCE_DOES_NOT_EXIST",
    }
