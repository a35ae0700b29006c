"""Images and videos: fitted to what was measured, and honest about models and machines not seen."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.factors.generation import generation_factors
from wattermark.factors.table import table
from wattermark.science.generation import (
    Generation,
    gpu_energy_j,
    gpu_energy_parts_j,
    gpu_seconds,
    latent_tokens,
)

ROOT = Path(__file__).parents[2]
FIT = {(row["gpu"], row["task"], row["name"]): row for row in table("generation_fit")}
MODELS = {row["id"]: row for row in table("generation_models")}


def values(task="image", model="flux.1-dev", gpu="h100", params=None):
    return {one.name: one.value.best for one in generation_factors(task, model, params, gpu).factors}


# -- the formula -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "asked", "tokens"),
    [
        pytest.param("flux.1-dev", (1024, 1024, 1), 64 * 64 + 512, id="with its text"),
        pytest.param("sana-1.5-1.6b", (1024, 1024, 1), 32 * 32, id="strong autoencoder"),
        pytest.param("wan2.1-t2v-14b", (480, 832, 81), 30 * 52 * 21, id="a video: every fourth frame"),
    ],
)
def test_tokens_of_a_pass(model, asked, tokens):
    height, width, frames = asked
    asked = Generation(height_px=height, width_px=width, steps=50, frames=frames)
    task = MODELS[model]["task"].removeprefix("text-to-")
    assert latent_tokens(values(task, model), asked) == pytest.approx(tokens)


@given(
    gpus=st.sampled_from([1, 2, 4, 8]),
    batch=st.integers(1, 16),
    steps=st.integers(1, 100),
    side=st.integers(256, 2048),
)
def test_parts_are_the_whole_and_one_gpu_waits_for_nobody(gpus, batch, steps, side):
    asked = Generation(height_px=side, width_px=side, steps=steps, batch=batch, gpus=gpus)
    parts = gpu_energy_parts_j(values(), asked)
    assert sum(parts.values()) == pytest.approx(gpu_energy_j(values(), asked))
    assert all(part >= 0 for part in parts.values())
    alone = parts["exchange"] == parts["waiting in a pass"] == 0
    assert alone == (gpus == 1)


def test_rows_of_arrays_are_the_same_one_by_one():
    steps, gpus = np.array([10.0, 20.0, 50.0]), np.array([1.0, 2.0, 8.0])
    every = gpu_energy_j(values(), Generation(height_px=512, width_px=512, steps=steps, gpus=gpus))
    for i in range(3):
        one = Generation(height_px=512, width_px=512, steps=steps[i], gpus=gpus[i])
        assert every[i] == pytest.approx(gpu_energy_j(values(), one))


# -- against what was measured ---------------------------------------------------------


def _rows():
    for row in table("generation_measured"):
        asked = {
            name: float(row[column])
            for name, column in {
                **{"height_px": "height_px", "width_px": "width_px", "steps": "steps"},
                **{"frames": "frames", "batch": "batch", "gpus": "gpus", "ring": "ring"},
            }.items()
        }
        yield row, Generation(**asked)


@pytest.mark.parametrize("gpu", ["h100-sxm", "b200"])
@pytest.mark.parametrize("task", ["text-to-image", "text-to-video"])
def test_the_measured_are_told_within_their_band(gpu, task):
    band = FIT[gpu, task, "error_measured"]
    ratios, times = [], []
    for row, asked in _rows():
        if (row["gpu"], row["task"]) != (gpu, task):
            continue
        known = values(task, row["model"], gpu)
        energy_j = float(row["energy_j"])
        ratios.append(energy_j / gpu_energy_j(known, asked))
        times.append(energy_j / float(row["power_w"]) * asked.gpus / gpu_seconds(known, asked))
    assert len(ratios) > 100
    inside = np.mean((np.array(ratios) >= float(band["low"])) & (np.array(ratios) <= float(band["high"])))
    assert inside >= 0.85
    assert np.median(np.abs(1 / np.array(ratios) - 1)) <= 0.10
    assert np.median(np.abs(1 / np.array(times) - 1)) <= 0.15


@pytest.mark.parametrize("gpu", ["h100-sxm", "b200"])
def test_a_wider_band_the_less_is_known(gpu):
    tiers = (("text-to-video", "error_measured"), ("any", "error_listed"), ("any", "error_params"))
    widths = [float(FIT[gpu, *tier]["high"]) / float(FIT[gpu, *tier]["low"]) for tier in tiers]
    assert widths == sorted(widths)
    errors = [row for (_, _, name), row in FIT.items() if name.startswith("error")]
    assert all(0.85 <= float(row["coverage"]) <= 0.95 for row in errors)


def test_the_tool_writes_the_shipped_tables(tmp_path):
    pytest.importorskip("scipy.optimize", reason="the fit needs scipy: pip install scipy")
    import fit_generation

    shipped = fit_generation.TABLES
    measured = tmp_path / "generation_measured.csv"
    measured.write_bytes((shipped / "generation_measured.csv").read_bytes())
    assert fit_generation.main(["--out", str(tmp_path)]) == 0
    for name in ("generation_models.csv", "generation_fit.csv"):
        ours, written = (_cells(folder / name) for folder in (shipped, tmp_path))
        assert [_words(row) for row in ours] == [_words(row) for row in written]
        for one, other in zip(ours, written, strict=True):
            assert _numbers(one) == pytest.approx(_numbers(other), rel=1e-3)


def _cells(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _words(row):
    return [cell for cell in row if not _is_number(cell)]


def _numbers(row):
    """The last digit of a fit may differ from one machine to another."""
    return [float(cell) for cell in row if _is_number(cell)]


def _is_number(cell):
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


# -- what is known of a model ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "id_", "tier"),
    [
        pytest.param("flux.1-dev", "flux.1-dev", "measured", id="its id"),
        pytest.param("black-forest-labs/FLUX.1-dev", "flux.1-dev", "measured", id="its page"),
        pytest.param("FLUX 1 dev", "flux.1-dev", "measured", id="as people write it"),
        pytest.param(
            "stabilityai/stable-diffusion-3-medium", "stable-diffusion-3-medium", "listed", id="listed"
        ),
    ],
)
def test_a_model_by_its_names(name, id_, tier):
    found = generation_factors("image", name, None, "h100")
    assert (found.model.id, found.tier) == (id_, tier)


def test_a_stranger_is_told_by_its_family_else_by_its_size():
    family = generation_factors("video", "Wan3-T2V-30B", 30e9, "h100")
    size = generation_factors("video", "swan-30b", 30e9, "h100")
    assert (family.tier, size.tier) == ("family", "params")
    assert "not measured" in family.notes[0] and "not measured" in size.notes[0]
    errors = [{one.name: one.value for one in found.factors}["generation_error"] for found in (family, size)]
    assert all(error.high / error.low > 2 for error in errors)


def test_a_gpu_without_measurements_has_a_band_of_its_own():
    found = {one.name: one for one in generation_factors("image", "flux.1-dev", None, "a100-sxm-80").factors}
    transfer = found["generation_transfer"].value
    assert transfer.low < transfer.best < transfer.high
    times = 0.5 * np.log(989 / 312)  # a slower GPU gets nearer to its peak
    assert transfer.best == pytest.approx(400 / 700 * np.exp(times), rel=0.02)
