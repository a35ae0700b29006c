"""Steps of trainings: made ones of every kind, and real ones that are recorded while the benchmark runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

KINDS = ("noise", "warm-up", "neighbours alike", "drift", "now and then slow")


def made(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """10 to 1,000 steps, with noise of 0.5 to 15 %."""
    count, noise = int(rng.choice([10, 20, 50, 100, 300, 1000])), float(rng.choice([0.005, 0.02, 0.05, 0.15]))
    steps = 1 + noise * rng.normal(size=count)
    if kind == "warm-up":
        steps[: rng.integers(1, 3)] *= 3
    if kind == "neighbours alike":
        around = np.convolve(rng.normal(size=count + 20), 0.8 ** np.arange(20), "valid")[:count]
        steps = 1 + 0.6 * noise * around
    if kind == "drift":
        steps = steps * np.cumprod(1 + noise / np.sqrt(count) * rng.normal(size=count))
    if kind == "now and then slow":
        steps = 1 + noise * rng.standard_t(3, size=count)
    return np.maximum(steps, 0.01)


def recorded(epochs: int = 40) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Seconds of each epoch of real trainings on this machine: three sizes of a network on digits."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    x, y = load_digits(return_X_y=True)
    classes = np.unique(y)
    for width in (64, 256, 1024):
        model = MLPClassifier(hidden_layer_sizes=(width, width), batch_size=64, random_state=0)
        shuffle = np.random.default_rng(0)
        steps = []
        for _ in range(epochs):
            began_s = time.perf_counter()
            order = shuffle.permutation(len(y))
            model.partial_fit(x[order], y[order], classes=classes)
            steps.append(time.perf_counter() - began_s)
        yield f"digits, {width} wide", np.array(steps)
