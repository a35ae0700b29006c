"""Data sheets of accelerators: every name that people use, dense peaks only."""

import pytest

from wattermark.errors import UsageError
from wattermark.factors.accelerators import accelerator_named, peak_flops
from wattermark.factors.table import table


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("h100", "h100-sxm"),
        ("H100-SXM-80GB", "h100-sxm"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("A100-SXM-40GB", "a100-sxm-40"),
        ("a100", "a100-sxm-80"),
        ("TPUv3", "tpu-v3"),
        ("b200", "b200"),
    ],
)
def test_people_and_drivers_name_the_same_thing(name, known_as):
    assert accelerator_named(name).id == known_as


@pytest.mark.parametrize(
    ("name", "precision", "peak_tflops"),
    [
        pytest.param("h100-sxm", "bf16", 989, id="dense, not the 1979 of sparsity"),
        pytest.param("h100-sxm", "fp8", 1979, id="twice as many of half the width"),
        pytest.param("a100-sxm-80", "fp8", 312, id="no units for it: unpacked"),
        pytest.param("a100-sxm-80", "int8", 624, id="but for these"),
        pytest.param("h100-sxm", "int4", 989, id="weights only"),
        pytest.param("b200", "bf16", 2250, id="the next one"),
    ],
)
def test_peaks_are_dense(name, precision, peak_tflops):
    assert peak_flops(accelerator_named(name), precision) == pytest.approx(peak_tflops * 1e12, rel=0.005)


def test_what_nobody_knows_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean h100-sxm"):
        accelerator_named("h10")
    with pytest.raises(UsageError, match="fp32"):
        peak_flops(accelerator_named("h100"), "fp32")


def test_every_row_is_a_data_sheet_or_says_what_it_lacks():
    for row in table("accelerators"):
        sheet = accelerator_named(row["id"])
        assert sheet.id == row["id"]
        assert 1e10 < sheet.bandwidth_bytes_per_s < 1e14
        if sheet.peak_flops:
            assert 1e12 < peak_flops(sheet, "bf16") <= max(sheet.peak_flops.values()) < 1e17
            continue
        with pytest.raises(UsageError, match="has no published peak"):
            peak_flops(sheet, "bf16")
