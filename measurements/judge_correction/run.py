"""How often intervals hold the true accuracy when a judge errs, and how wide they are.

python measurements/judge_correction/run.py [--rows 4000] [--labels 120]

Runs over the testbed's 957 questions and 132 videos are simulated, questions of a video going together with a
correlation of 0.1; judges with known error rates judge them; some answers, drawn by strata, are labelled. Compared are
the judge as it is, the labels alone, Rogan and Gladen's estimator with error rates from 200 controls of each kind, and
PPI++. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "scoring"))

from simulated_runs import egocross_like, outcomes

from egocross_eval.scoring.clustered_mean import Estimate, clustered_mean
from egocross_eval.scoring.corrected import Item, Rates, corrected, label_order, rogan_gladen

JUDGES = ((0.95, 0.9), (0.9, 0.8), (0.8, 0.7))
CONTROLS = 200
PLACE = egocross_like()


def estimates(truth: np.ndarray, judged: np.ndarray, labels: int, row: int, rates: Rates) -> dict[str, Estimate | None]:
    """What each way makes of one run."""
    drawn = label_order(PLACE.strata, row)[:labels]
    chosen = set(drawn)
    items = [
        Item(float(judged[i]), float(truth[i]) if i in chosen else None, cluster, stratum)
        for i, (cluster, stratum) in enumerate(zip(PLACE.clusters, PLACE.strata, strict=True))
    ]
    found = corrected(items)
    assert found is not None
    as_it_is = clustered_mean(judged, PLACE.clusters, PLACE.strata)
    part = PLACE.part(drawn)
    return {
        "judge as it is": as_it_is,
        "labels alone": clustered_mean(truth[drawn], part.clusters, part.strata),
        "Rogan-Gladen, 200 controls": rogan_gladen(as_it_is, rates),
        "PPI++": found.micro,
        "PPI++, macro": found.macro,
    }


def rates_of(rng: np.random.Generator, sensitivity: float, specificity: float) -> Rates:
    """Error rates as so many controls show them."""
    shares = [rng.binomial(CONTROLS, rate) / CONTROLS for rate in (sensitivity, specificity)]
    errors = [max(0.01, (share * (1 - share) / CONTROLS) ** 0.5) for share in shares]
    return Rates(shares[0], errors[0], shares[1], errors[1])


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--labels", type=int, default=120)
    parser.add_argument("--accuracy", type=float, default=0.45)
    given = parser.parse_args()
    rng = np.random.default_rng(3)
    print("| sensitivity, specificity | estimate | holds the truth | mean width, points |\n|---|---|---|---|")
    for sensitivity, specificity in JUDGES:
        truth = outcomes(PLACE, given.accuracy, 0.1, given.rows, seed=4)
        right = truth == 1
        judged = np.where(right, rng.random(truth.shape) < sensitivity, rng.random(truth.shape) > specificity)
        held: dict[str, list[tuple[bool, float]]] = {}
        for row in range(given.rows):
            rates = rates_of(rng, sensitivity, specificity)
            for name, found in estimates(truth[row], judged[row].astype(float), given.labels, row, rates).items():
                low, high = (found.low, found.high) if found is not None else (0.0, 1.0)
                held.setdefault(name, []).append((low <= given.accuracy <= high, high - low))
        for name, all_held in held.items():
            share, width = (100 * float(np.mean(column)) for column in zip(*all_held, strict=True))
            print(f"| {sensitivity}, {specificity} | {name} | {share:.1f} % | {width:.1f} |")


if __name__ == "__main__":
    main()
