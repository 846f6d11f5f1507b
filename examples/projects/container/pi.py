"""Compute digits of pi by Machin's formula, and record them."""

import sys
from decimal import Decimal, getcontext

try:
    import mlcore as mlflow
except ModuleNotFoundError:  # the same names, by MLflow's own client
    import mlflow


def arctan_of_inverse(number: int) -> Decimal:
    total = term = Decimal(1) / number
    n = 1
    while abs(term) > Decimal(10) ** -(getcontext().prec + 2):
        term /= -(number * number)
        n += 2
        total += term / n
    return total


if __name__ == "__main__":
    digits = int(float(sys.argv[1]))
    getcontext().prec = digits + 5
    pi = str(4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)))[: digits + 2]
    with mlflow.start_run():
        mlflow.log_metric("pi", float(pi))
        mlflow.log_text(pi, "pi.txt")
    print(pi)
