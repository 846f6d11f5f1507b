"""The steps: load, clean, fit. What one writes are artifacts of its run, which the next one gets as a file."""

import csv
import shutil
import sys
import tempfile
from pathlib import Path

try:
    import mlcore as mlflow
except ModuleNotFoundError:  # the same names, by MLflow's own client
    import mlflow


def load() -> None:
    mlflow.log_artifact(str(Path(__file__).parent / "data" / "cars.csv"))


def clean(raw: str, max_speed: str) -> None:
    """Keep the cars that are not faster than *max_speed* miles per hour."""
    with Path(raw).open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if float(row["speed"]) <= float(max_speed)]
    folder = Path(tempfile.mkdtemp())
    with (folder / "clean.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["speed", "distance"])
        writer.writeheader()
        writer.writerows(rows)
    mlflow.log_artifact(str(folder / "clean.csv"))
    mlflow.log_metric("rows", len(rows))
    shutil.rmtree(folder)


def fit(cars: str) -> None:
    """Fit a line by least squares: distance in feet over speed in miles per hour."""
    with Path(cars).open(newline="") as stream:
        points = [(float(row["speed"]), float(row["distance"])) for row in csv.DictReader(stream)]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    mlflow.log_metrics({"slope": slope, "intercept": mean_y - slope * mean_x})


if __name__ == "__main__":
    with mlflow.start_run():
        {"load": load, "clean": clean, "fit": fit}[sys.argv[1]](*sys.argv[2:])
