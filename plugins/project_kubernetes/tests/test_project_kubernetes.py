"""What is sent to a cluster, and what becomes of jobs when cluster, network or pods misbehave."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Protocol

import pytest
from mlcore_project_kubernetes.backend import KubernetesBackend

from mlcore.errors import (
    InvalidParameterError,
    MlcoreError,
    NotFoundError,
    PermissionDeniedError,
    ProjectError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.interfaces import EnvironmentSpec, ImageSpec, Job, JobStatus

BASE = EnvironmentSpec(image=ImageSpec("python:3.11-slim"))
SLEEP = "import time; print('started', flush=True); time.sleep(600)"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
TEMPLATE = """
apiVersion: batch/v1
kind: Job
metadata:
  generateName: replaced-
  namespace: lab
  labels: {team: wine}
spec:
  backoffLimit: 2
  ttlSecondsAfterFinished: 600
  template:
    spec:
      restartPolicy: Never
      serviceAccountName: trainer
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
      containers:
        - name: train
          image: replaced
          command: [replaced]
          args: [replaced]
          env: [{name: KEPT, value: "1"}, {name: MLFLOW_RUN_ID, value: replaced}]
          resources: {limits: {memory: 2Gi, cpu: "2"}}
          volumeMounts: [{name: data, mountPath: /data}]
"""


class StandIn(Protocol):
    """What conftest's stand-in offers."""

    folder: Path
    url: str
    kubeconfig: Path

    def order(self, path: str, body: object = None) -> object: ...
    def faults(self, *faults: dict[str, object]) -> None: ...
    def manifest(self, job_id: str) -> dict[str, dict[str, dict[str, dict[str, list[dict[str, object]]]]]]: ...
    def write_kubeconfig(self, token: str = "good", **user: object) -> None: ...


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "data.txt").write_text("found me")
    return tmp_path / "project"


def python(project: Path, code: str, *arguments: str, **more: object) -> Job:
    fields = {"environment": BASE, "name": "Wine, red", **more}
    return Job("a" * 32, (sys.executable, "-c", code, *arguments), project, **fields)  # type: ignore[arg-type]  # by name


def ended(backend: KubernetesBackend, job: Job) -> tuple[JobStatus, list[str]]:
    job_id = backend.submit(job)
    return backend.wait(job_id, 60), list(backend.logs(job_id))


# what is sent


def test_the_template_is_filled_and_what_else_it_says_stays(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    (project / "job.yaml").write_text(TEMPLATE)
    config = {"kube-job-template-path": "job.yaml"}

    job_id = backend.submit(python(project, "pass", config=config, env={"MLFLOW_RUN_ID": "a" * 32, "PATH": "/here"}))

    sent = cluster.manifest(job_id)
    pod = sent["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job_id.startswith("lab/wine-red-aaaaaaaa-")
    assert job_id.endswith("@lab")
    assert sent["metadata"]["labels"] == {"team": "wine", "mlcore/run-id": "a" * 32}
    assert (sent["spec"]["backoffLimit"], sent["spec"]["ttlSecondsAfterFinished"]) == (2, 600)
    assert pod["serviceAccountName"] == "trainer"
    assert str(container["image"]).startswith("registry.example.com/team/project@sha256:")
    assert container["command"] == [sys.executable, "-c", "pass"]
    assert "args" not in container
    assert container["workingDir"] == "/mlflow/projects/code"
    assert container["env"] == [{"name": "KEPT", "value": "1"}, {"name": "MLFLOW_RUN_ID", "value": "a" * 32}]
    assert container["resources"] == {"limits": {"memory": "2Gi", "cpu": "2"}}


def test_without_a_template_a_failed_job_is_not_tried_again(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    job_id = backend.submit(python(project, "pass"))

    spec = cluster.manifest(job_id)["spec"]

    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_variables_and_arguments_are_not_expanded_by_the_cluster(backend: KubernetesBackend, project: Path) -> None:
    code = "import os, sys; print(ascii(sys.argv[1:]), os.environ['B'], os.environ['C'])"
    image = EnvironmentSpec(image=ImageSpec("x", environment=(("C", "$$(A)"),)))
    job = python(project, code, "$(A)", "$$(A)", "$A", "$$", env={"A": "wrong", "B": "$(A)"}, environment=image)

    status, lines = ended(backend, job)

    assert (status, lines) == (JobStatus.FINISHED, ["['$(A)', '$$(A)', '$A', '$$'] $(A) $$(A)"])


def test_files_of_the_project_that_parameters_name_are_those_in_the_image(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    path = project / "data.txt"

    job_id = backend.submit(python(project, "pass", str(path), inputs=(path,)))

    (container,) = cluster.manifest(job_id)["spec"]["template"]["spec"]["containers"]
    assert container["command"] == [sys.executable, "-c", "pass", "/mlflow/projects/code/data.txt"]


def test_an_image_that_is_there_is_used_as_it_is(cluster: StandIn, project: Path) -> None:
    backend = KubernetesBackend({"image": "registry.example.com/ready:1", "namespace": "lab"})

    job_id = backend.submit(Job("b" * 32, ("true",), project))

    (container,) = cluster.manifest(job_id)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/ready:1"
    assert "workingDir" not in container
    backend.cancel(job_id)


# what is refused before anything is sent


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kube-contxt": "x", "image": 5}, "'kube-contxt', did you mean 'kube-context'.*image: expected a text, got 5"),
        ({"repository-uri": "r/x:tag"}, "without tag or digest, got 'r/x:tag'"),
        ({"repository-uri": "--privileged"}, "invalid name of an image '--privileged'"),
        ({"kube-context": "other"}, r"no context 'other' \(known: dead, lab\)"),
        ({"kube-job-template-path": "none.yaml"}, "no file .*none.yaml"),
        ({"kube-job-template-path": "data.txt"}, "kind: expected 'Job', got None; apiVersion: .*; spec.template"),
    ],
)
def test_a_wrong_configuration_says_all_that_is_wrong(
    backend: KubernetesBackend, project: Path, config: dict[str, object], message: str
) -> None:
    (project / "data.txt").write_text("metadata: {}\n")

    with pytest.raises(ProjectError, match=message):
        backend.submit(python(project, "pass", config=config))


def test_what_only_this_machine_has_is_refused_at_once(backend: KubernetesBackend, project: Path) -> None:
    image = ImageSpec("x", ("/data:/data",), options=(("gpus", "all"),))
    elsewhere = Path("/elsewhere/rows.csv")
    job = python(project, "pass", str(elsewhere), environment=EnvironmentSpec(image=image), inputs=(elsewhere,))

    with pytest.raises(ProjectError, match=r"docker_env.volumes .* \(gpus\) .* '/elsewhere/rows.csv'"):
        backend.submit(job)


@pytest.mark.parametrize(
    ("environment", "config", "message"),
    [
        (None, {}, "needs docker_env with an image"),
        (EnvironmentSpec(image=ImageSpec("x", environment=(("NOT_SET", None),))), {}, "not set: 'NOT_SET'"),
        (EnvironmentSpec(image=ImageSpec("missing:1")), {}, "could not get the image 'missing:1'.*manifest for"),
        (BASE, {"repository-uri": "r/forbidden"}, "could not push the image 'r/forbidden:.*denied"),
    ],
)
def test_an_image_that_cannot_be_made_is_told_of_in_the_engines_words(
    backend: KubernetesBackend,
    project: Path,
    environment: EnvironmentSpec | None,
    config: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(ProjectError, match=message):
        backend.submit(python(project, "pass", environment=environment, config=config))


def test_a_manifest_that_kubernetes_schemas_refuse_is_refused_in_their_words(
    backend: KubernetesBackend, project: Path
) -> None:
    (project / "job.yaml").write_text(TEMPLATE.replace("serviceAccountName", "serviceAcountName"))

    with pytest.raises(InvalidParameterError, match=r"answers 422 to POST .*serviceAcountName"):
        backend.submit(python(project, "pass", config={"kube-job-template-path": "job.yaml"}))


# what the API refuses


def test_a_token_that_is_not_valid_is_told_of(cluster: StandIn, backend: KubernetesBackend, project: Path) -> None:
    cluster.write_kubeconfig("expired")

    with pytest.raises(UnauthenticatedError, match=r"answers 401 .*credentials of the kubeconfig"):
        backend.submit(python(project, "pass"))


def test_who_may_not_make_jobs_is_told_in_the_clusters_words(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    cluster.write_kubeconfig("reader")

    with pytest.raises(PermissionDeniedError, match=r'User "reader" cannot create resource "jobs" in API'):
        backend.submit(python(project, "pass"))


def test_a_namespace_that_is_not_there_is_named(backend: KubernetesBackend, project: Path) -> None:
    with pytest.raises(NotFoundError, match=r'namespaces "none" not found'):
        backend.submit(python(project, "pass", config={"namespace": "none"}))


def test_a_server_that_is_nobody_we_trust_gets_no_token(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    document = json.loads(cluster.kubeconfig.read_text())
    del document["clusters"][0]["cluster"]["certificate-authority-data"]
    cluster.kubeconfig.write_text(json.dumps(document))
    cluster.order("requests")

    with pytest.raises(StoreUnavailableError, match=r"CERTIFICATE_VERIFY_FAILED"):
        backend.submit(python(project, "pass"))

    assert cluster.order("requests") == []


def test_an_api_that_is_not_there_is_given_up(cluster: StandIn, project: Path) -> None:
    backend = KubernetesBackend({"image": "x", "kube-context": "dead"}, patience_s=0.3)

    with pytest.raises(StoreUnavailableError, match=r"'https://127.0.0.1:9' does not answer"):
        backend.submit(Job("a" * 32, ("true",), project))


def test_a_program_of_the_kubeconfig_is_asked_again_when_its_token_is_refused(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    program = cluster.folder / "login"
    count = cluster.folder / "count"
    program.write_text(
        f'#!/bin/sh\necho x >> {count}\n[ "$(wc -l < {count})" -gt 1 ] && token=good || token=old\n'
        'echo "{\\"status\\": {\\"token\\": \\"$token\\"}}"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    cluster.write_kubeconfig(exec={"command": str(program), "apiVersion": "client.authentication.k8s.io/v1"})

    status, lines = ended(backend, python(project, "print(1)"))

    assert (status, lines) == (JobStatus.FINISHED, ["1"])
    assert count.read_text() == "x\nx\n"


def test_a_program_of_the_kubeconfig_that_is_missing_is_named(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    cluster.write_kubeconfig(exec={"command": "no-such-login", "installHint": "install the cloud's program"})

    with pytest.raises(UnauthenticatedError, match=r"'no-such-login'.*install the cloud's program"):
        backend.submit(python(project, "pass"))


# what goes wrong on the way


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "path": f"POST {JOBS}", "code": 503, "reason": "", "message": "busy", "times": 2},
        {"kind": "status", "path": "", "code": 429, "reason": "TooManyRequests", "message": "later", "times": 2},
        {"kind": "lost_answer", "path": JOBS},
        {"kind": "down", "path": "", "times": 3},
        {"kind": "gone", "path": "watch", "times": 2},
        {"kind": "gone_event", "path": "watch", "times": 2},
        {"kind": "drop_watch", "path": "watch", "times": 2},
    ],
)
def test_a_job_is_made_once_and_followed_to_its_end_through(
    cluster: StandIn, backend: KubernetesBackend, project: Path, fault: dict[str, object]
) -> None:
    cluster.faults(fault)
    code = "import time; print('begun', flush=True); time.sleep(0.3); print('done')"

    status, lines = ended(backend, python(project, code))

    asked = cluster.order("requests")
    assert (status, lines) == (JobStatus.FINISHED, ["begun", "done"])
    assert isinstance(asked, list)


def test_a_name_that_somebody_else_has_is_an_error(cluster: StandIn, backend: KubernetesBackend, project: Path) -> None:
    fault = {"kind": "status", "path": f"POST {JOBS}", "code": 409, "reason": "AlreadyExists", "message": "exists"}
    cluster.faults(fault)

    with pytest.raises(MlcoreError, match=r"not found"):  # who has it is asked for, and here there is nobody
        backend.submit(python(project, "pass"))


def test_output_comes_whole_and_once_through_streams_that_are_cut_off(
    cluster: StandIn, backend: KubernetesBackend, project: Path
) -> None:
    cluster.faults(*({"kind": "drop_logs", "path": "log", "after": count} for count in (1, 0, 700, 1300, 3)))

    status, lines = ended(backend, python(project, "for n in range(3000): print('line', n)"))

    assert status is JobStatus.FINISHED
    assert lines == [f"line {n}" for n in range(3000)]


def test_an_image_that_cannot_be_pulled_fails_the_job_and_says_why(cluster: StandIn, project: Path) -> None:
    backend = KubernetesBackend({"image": "registry.example.com/none:1"})

    status, lines = ended(backend, Job("a" * 32, ("true",), project))

    assert status is JobStatus.FAILED
    assert len(lines) == 1
    assert "ImagePullBackOff: Back-off pulling image" in lines[0]


def test_an_evicted_pod_fails_the_job_and_says_why(cluster: StandIn, backend: KubernetesBackend, project: Path) -> None:
    job_id = backend.submit(python(project, SLEEP))
    lines = backend.logs(job_id)
    first = next(lines)

    cluster.order("evict", job_id.partition("/")[2].partition("@")[0])

    assert backend.wait(job_id, 60) is JobStatus.FAILED
    assert [first, *lines][0] == "started"
    assert "Evicted: The node was low on resource: memory." in list(backend.logs(job_id))[-1]


def test_a_job_that_its_template_tries_again_shows_the_output_of_all_its_pods(
    backend: KubernetesBackend, project: Path
) -> None:
    (project / "job.yaml").write_text(TEMPLATE.replace("namespace: lab", "namespace: default"))
    job = python(project, "print('once'); raise SystemExit(1)", config={"kube-job-template-path": "job.yaml"})

    status, lines = ended(backend, job)

    assert (status, lines) == (JobStatus.FAILED, ["once"] * 3)


def test_a_job_that_somebody_deletes_is_killed(cluster: StandIn, backend: KubernetesBackend, project: Path) -> None:
    job_id = backend.submit(python(project, SLEEP))
    next(backend.logs(job_id))
    timer = threading.Timer(0.3, cluster.order, ("delete", job_id.partition("/")[2].partition("@")[0]))
    timer.start()

    status = backend.wait(job_id, 60)

    timer.join()
    assert status is JobStatus.KILLED
    with pytest.raises(NotFoundError, match=r"not found"):
        backend.status(job_id)


def test_another_process_can_ask_for_a_job_by_its_id_alone(backend: KubernetesBackend, project: Path) -> None:
    job_id = backend.submit(python(project, SLEEP))
    other = KubernetesBackend()

    assert next(other.logs(job_id)) == "started"
    other.cancel(job_id)

    assert other.wait(job_id, 60) is JobStatus.KILLED
    assert backend.status(job_id) is JobStatus.KILLED


def test_without_a_kubeconfig_the_user_is_told_what_is_missing(
    backend: KubernetesBackend, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))

    with pytest.raises(ProjectError, match=r"no current context"):
        backend.submit(python(project, "pass"))


def test_several_kubeconfigs_are_merged_as_kubectl_does(
    cluster: StandIn, backend: KubernetesBackend, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = {"current-context": "mine", "contexts": [{"name": "mine", "context": {"cluster": "here", "user": "me"}}]}
    (tmp_path / "first").write_text(json.dumps(first))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'first'}{os.pathsep}{cluster.kubeconfig}")

    job_id = backend.submit(python(project, "pass"))

    assert job_id.endswith("@mine")
    assert backend.wait(job_id, 60) is JobStatus.FINISHED
