"""Train a real classifier on scikit-learn's handwritten digits: about 20 seconds on two cores, no download.

Run it under the meter::

    wattermark run -- python examples/train_digits.py

It also measures itself, so that each epoch gets its own energy, carbon and water; the run from
the inside lies within the run from the outside, and wattermark says so.
"""

import sys
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import wattermark as wm

EPOCHS = 10
SECONDS_AN_EPOCH = 2.0


def main() -> int:
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.data, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    scale = StandardScaler().fit(train_x)
    train_x, test_x = scale.transform(train_x), scale.transform(test_x)
    model = MLPClassifier(hidden_layer_sizes=(256, 128), batch_size=64, random_state=0)
    shuffle = np.random.default_rng(0)
    classes = np.unique(train_y)

    with wm.track(name="digits") as run:
        for epoch in range(1, EPOCHS + 1):
            with run.span("epoch", epoch):
                passes = train_for(
                    SECONDS_AN_EPOCH, model, train_x, train_y, classes=classes, shuffle=shuffle
                )
            accuracy = model.score(test_x, test_y)
            print(f"epoch {epoch:2d}  {passes:3d} passes  loss {model.loss_:.4f}  accuracy {accuracy:.3f}")
    return 0 if accuracy > 0.95 else 1


def train_for(seconds, model, x, y, *, classes, shuffle) -> int:
    """Pass over the training set, in a new order each time, until the time is over."""
    end = time.monotonic() + seconds
    passes = 0
    while time.monotonic() < end:
        order = shuffle.permutation(len(y))
        model.partial_fit(x[order], y[order], classes=classes)
        passes += 1
    return passes


if __name__ == "__main__":
    sys.exit(main())
