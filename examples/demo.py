"""The main job from end to end: train, record, compare, load and serve real models, in under a minute.

Data: four sets of real measurements that scikit-learn ships. Everything goes to the default store, `mlcore.db` in the
working directory, where it stays for you to look at. Nothing is left running.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import datasets
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import confusion_matrix, f1_score, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlcore

EXPERIMENT = "demo"
EPOCHS = 25
PROGRAM = str(Path(sys.executable).with_name("mlcore"))


@dataclass
class Data:
    """One data set, split the same way for every model."""

    name: str
    is_regression: bool
    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: pd.Series[float]
    y_test: pd.Series[float]


def load() -> list[Data]:
    found = []
    for name in ("digits", "wine", "breast_cancer", "diabetes"):
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        # float columns throughout: a measurement that happens to be whole in the training data need not stay so
        parts = train_test_split(bunch.data.astype("float64"), bunch.target, test_size=0.3, random_state=7)
        found.append(Data(name, name == "diabetes", *parts))
    return found


def plan(data: list[Data]) -> list[tuple[Data, str, dict[str, float]]]:
    """Nine models for each data set, of three families; the last of them learns epoch by epoch."""
    jobs: list[tuple[Data, str, dict[str, float]]] = []
    for d in data:
        jobs += [(d, "forest", {"n_estimators": n, "max_depth": m}) for n, m in ((20, 3), (20, 8), (60, 8))]
        jobs += [(d, "linear", {"C": c}) for c in (0.01, 0.1, 1.0)]
        jobs += [(d, "network", {"hidden": h, "lr": lr}) for h, lr in ((16, 0.01), (32, 0.01), (32, 0.001))]
    return jobs


def build(d: Data, family: str, params: dict[str, float]) -> BaseEstimator:
    if family == "forest":
        kind = RandomForestRegressor if d.is_regression else RandomForestClassifier
        return kind(random_state=0, **params)
    if family == "linear":
        c = float(params["C"])
        return make_pipeline(StandardScaler(), Ridge(alpha=1 / c) if d.is_regression else LogisticRegression(C=c))
    kind = MLPRegressor if d.is_regression else MLPClassifier
    layers, rate = (int(params["hidden"]),), float(params["lr"])
    return kind(hidden_layer_sizes=layers, learning_rate_init=rate, max_iter=1, warm_start=True, random_state=0)


def fit(d: Data, family: str, model: BaseEstimator) -> BaseEstimator:
    """Train; a network one epoch at a time, so that its curves are recorded."""
    if family != "network":
        return model.fit(d.X_train, d.y_train)
    scaled = make_pipeline(StandardScaler(), model)
    for epoch in range(EPOCHS):
        scaled.fit(d.X_train, d.y_train)
        mlcore.log_metrics({"train_loss": model.loss_, "val_score": scaled.score(d.X_test, d.y_test)}, step=epoch)
    return scaled


def evaluate(d: Data, model: BaseEstimator) -> dict[str, float]:
    predicted = model.predict(d.X_test)
    if d.is_regression:
        return {"rmse": float(np.sqrt(mean_squared_error(d.y_test, predicted))), "r2": model.score(d.X_test, d.y_test)}
    return {"accuracy": float((predicted == d.y_test).mean()), "f1": f1_score(d.y_test, predicted, average="macro")}


def confusion_picture(d: Data, model: BaseEstimator) -> Figure:
    counts = confusion_matrix(d.y_test, model.predict(d.X_test))
    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, str(count), ha="center", va="center", fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", title=d.name)
    return figure


def sweep(sweep_id: str) -> None:
    jobs = plan(load())
    with click.progressbar(jobs, label=f"training {len(jobs)} models", file=sys.stderr, show_pos=True) as bar:
        for d, family, params in bar:
            with mlcore.start_run(run_name=f"{d.name}-{family}", tags={"sweep": sweep_id, "data": d.name}):
                mlcore.log_params({"data": d.name, "model": family, **params})
                mlcore.log_input(mlcore.data.from_pandas(d.X_train, name=d.name), context="training")
                model = fit(d, family, build(d, family, params))
                mlcore.log_metrics(evaluate(d, model))
                if not d.is_regression:
                    mlcore.log_figure(confusion_picture(d, model), "plots/confusion.png")
                mlcore.sklearn.log_model(model, name="model", input_example=d.X_test.head(2))


def show(*arguments: str) -> None:
    """Print an mlcore command as one would type it, and run it."""
    click.secho(f"\n$ mlcore {shlex.join(arguments)}", fg="cyan", bold=True)
    sys.stdout.flush()
    subprocess.run([PROGRAM, *arguments], check=True)


def check_best(sweep_id: str) -> tuple[str, Data]:
    """Load the best digits model by its URI; its accuracy has to be the recorded one."""
    best = mlcore.search_runs(
        filter_string=f"tags.sweep = '{sweep_id}' AND params.data = 'digits'",
        order_by=["metrics.accuracy DESC"],
        max_results=1,
        output_format="list",
    )[0]
    uri = f"runs:/{best.info.run_id}/model"
    digits = load()[0]
    model = mlcore.pyfunc.load_model(uri)
    accuracy = float((model.predict(digits.X_test) == digits.y_test.to_numpy()).mean())
    recorded = best.data.metrics["accuracy"]
    click.echo(f"\nloaded {uri}\naccuracy now {accuracy:.4f}, recorded {recorded:.4f}")
    if abs(accuracy - recorded) > 1e-12:
        raise SystemExit("the loaded model does not predict as the recorded one did")
    return uri, digits


def serve(uri: str, digits: Data) -> None:
    """Start the scoring server on a free port, ask it once over HTTP, stop it."""
    click.secho(f"\n$ mlcore models serve -m {uri} -p 0", fg="cyan", bold=True)
    command = [PROGRAM, "models", "serve", "-m", uri, "-p", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = next(word for line in lines(server) for word in line.split() if word.startswith("http://"))
        rows = digits.X_test.head(3)
        body = {"dataframe_split": {"columns": list(rows.columns), "data": rows.to_numpy().tolist()}}
        request = urllib.request.Request(
            f"{address.rstrip('/')}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        click.secho(
            f"$ curl {address.rstrip('/')}/invocations -H 'Content-Type: application/json' -d @three-rows.json",
            fg="cyan",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            click.echo(answer.read().decode())
        click.echo(f"the true digits are {digits.y_test.head(3).tolist()}")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
    click.echo("server stopped")


def lines(server: subprocess.Popen[str]) -> Iterator[str]:
    assert server.stdout is not None
    yield from server.stdout
    raise SystemExit(f"the scoring server ended with code {server.wait()} before it was ready")


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time is what we want
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    began = time.monotonic()
    sweep_id = time.strftime("%Y%m%d-%H%M%S")
    mlcore.set_experiment(EXPERIMENT)
    sweep(sweep_id)
    wanted = f'tags.sweep = "{sweep_id}" AND metrics.accuracy > 0.9 AND NOT params.model = "linear"'
    columns = "run_id,run_name,params.data,params.model,metrics.accuracy,metrics.f1,duration"
    show("runs", "search", "-n", EXPERIMENT, "-f", wanted, "-o", "metrics.accuracy DESC", "-l", "8", "-c", columns)
    network = mlcore.search_runs(
        filter_string=f"tags.sweep = '{sweep_id}' AND params.model = 'network' AND params.data = 'digits'",
        order_by=["metrics.val_score.max DESC"],
        max_results=1,
        output_format="list",
    )[0]
    show("runs", "plot", network.info.run_id, "val_score", "train_loss", "--height", "14")
    uri, digits = check_best(sweep_id)
    serve(uri, digits)
    click.secho(
        f"\ndone in {time.monotonic() - began:.0f} s; all of it is in {Path.cwd() / 'mlcore.db'}. Try next:", bold=True
    )
    click.echo(f"  {PROGRAM} runs search -n {EXPERIMENT} -o 'metrics.rmse ASC' -f \"params.data = 'diabetes'\"")
    click.echo(f"  {PROGRAM} runs show {network.info.run_id}")
    click.echo(f"  {PROGRAM} models serve -m {uri}")


if __name__ == "__main__":
    main()
