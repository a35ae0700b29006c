"""Descriptions of hardware as cards give them, and how many accelerators each of them counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.lint.counting import count_devices
from wattermark.verbs.lint.devices import device_facts


def count(text):
    number = count_devices(text, lambda name: bool(device_facts(name, "", 0)))
    return number and number.value


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        pytest.param("8 x A100", 8, id="times a name"),
        pytest.param("16 \u00d7 H100", 16, id="with a cross"),
        pytest.param("8xA100 40GB", 8, id="without spaces; the memory is no number of devices"),
        pytest.param("2,048 A100", 2048, id="thousands"),
        pytest.param("512 Tesla A100", 512, id="a family before the name"),
        pytest.param("A100", None, id="nobody counts"),
        pytest.param("80GB A100", None, id="memory first"),
        pytest.param("A100 80GB x8", 8, id="behind the name"),
        pytest.param("A100 (x8)", 8, id="in brackets"),
        pytest.param("DGX A100 (8 GPUs)", 8, id="GPUs in brackets"),
        pytest.param("p4d.24xlarge (8x A100 40GB)", 8, id="an instance with a number in its name"),
        pytest.param("one node with eight A100 GPUs", 8, id="in words"),
        pytest.param("4 nodes x 8 A100", 32, id="nodes"),
        pytest.param("2 nodes, 8xH100 each", 16, id="so many in each"),
        pytest.param("32 x 8 x A100 GPUs", 256, id="a product"),
        pytest.param("384 A100 80GB GPUs (48 nodes)", 384, id="all of them, and on how many nodes"),
        pytest.param("128 nodes (1,024 H100)", 1024, id="nodes, and all of them in brackets"),
        pytest.param("128 nodes / 1,024 H100", 1024, id="or behind a stroke"),
        pytest.param("8 nodes with 64 A100 GPUs in total", 64, id="in total"),
        pytest.param("8 nodes, 64 A100 GPUs", None, id="each, or all"),
        pytest.param("3 x RTX A6000, 1 x RTX 3090", 4, id="the X of RTX is no cross"),
        pytest.param("2 x DGX A100", 16, id="machines of eight"),
        pytest.param("DGX H100", 8, id="and one of them"),
        pytest.param("2 DGX A100 (16 GPUs)", 16, id="counted as well"),
        pytest.param("8 A100 per node", None, id="on nodes that nobody counts"),
        pytest.param("2 x AMD EPYC 7742, 8 x A100", 8, id="processors are no accelerators"),
        pytest.param("64 vCPU, 1 A10G", 1, id="nor are cores"),
        pytest.param("8 A100 and 4 V100", 12, id="two kinds"),
        pytest.param("RTX 3090 Ti", None, id="a name that ends in a number"),
        pytest.param("2x RTX 6000 Ada", 2, id="twice a name with a number"),
        pytest.param("H100 8-way", None, id="a way to connect them"),
        pytest.param("TPU v4-512", 256, id="a slice, by its cores"),
        pytest.param("TPUv3-8", 4, id="a board of four chips"),
        pytest.param("TPU v5e-256", 256, id="a slice, by its chips"),
        pytest.param("TPU v5p-128", 64, id="v5p by its cores"),
        pytest.param("4 x TPU v3-8", 16, id="so many slices"),
        pytest.param("64 TPU v4 chips", 64, id="chips"),
        pytest.param("8 x " * 1000, None, id="a book of it"),
    ],
)
def test_accelerators_are_counted_as_people_count_them(text, devices):
    assert count(text) == devices


@given(st.integers(1, 100_000), st.sampled_from(["A100", "NVIDIA H100 80GB HBM3", "MI300X", "TPU v4"]))
def test_whatever_stands_before_a_name_is_their_number(devices, name):
    assert count(f"{devices} x {name}") == count(f"{devices:,} {name}") == devices


PIECES = ("8", "A100", "x", "nodes", "(", ")", ",", "and", "TPU", "v3-8", "each", "GPUs", "40GB", "2")


@given(st.lists(st.sampled_from(PIECES)))
def test_whatever_is_written_is_counted_or_not(words):
    found = count(" ".join(words))
    assert found is None or found >= 1
