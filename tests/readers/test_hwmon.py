"""Chips of hardware monitoring on plain folders: what is added, what is only shown, and what is lost."""

import time
from contextlib import closing

import pytest

import wattermark as wm
from fakes.tree import chip
from wattermark.errors import ReaderUnavailable
from wattermark.readers.amdgpu import rocr_name
from wattermark.readers.hwmon import HwmonReader
from wattermark.readers.visible import rocm_listed

W = 1_000_000  # microwatts
GRACE = ("Module Power Socket 0", "Grace Power Socket 0", "CPU Power Socket 0", "SysIO Power Socket 0")


def opened(tmp_path, *chips):
    for number, (name, place, files) in enumerate(chips):
        chip(tmp_path, number, name, place, **files)
    return closing(HwmonReader(tmp_path / "class/hwmon"))


def shown(reader):
    return {c.name: (value, c.counted) for c, value in zip(reader.channels, reader.read(), strict=True)}


@pytest.mark.parametrize(
    ("chips", "expected"),
    [
        pytest.param(
            [("amdgpu", "0000:03:00.0", {"power1_average": 300 * W, "power1_input": 310 * W})],
            {"gpu/0000:03:00.0": (300 * W, True)},
            id="an AMD GPU: its average where it has one",
        ),
        pytest.param(
            [("amdgpu", "0000:03:00.0", {"power1_input": 310 * W})],
            {"gpu/0000:03:00.0": (310 * W, True)},
            id="else its power now",
        ),
        pytest.param(
            [("amdgpu", "0000:05:00.0", {"power1_input": 25 * W, "in1_input": 800})],
            {"platform/apu-0000:05:00.0": (25 * W, False)},
            id="an APU holds the processor, which has a meter of its own",
        ),
        pytest.param(
            [
                ("xe", "0000:04:00.0", {"energy1_input": 7 * W, "energy2_input": 5 * W}),
                ("i915", "0000:02:00.0", {"energy1_input": 3 * W}),
            ],
            {"gpu/0000:02:00.0": (3 * W, True), "gpu/0000:04:00.0": (7 * W, True)},
            id="Intel GPUs: the card, which holds the package, in the order of the bus",
        ),
        pytest.param(
            [("xe", "0000:00:02.0", {"energy1_input": 7 * W})],
            {"gpu/0000:00:02.0": (7 * W, False)},
            id="a processor's own GPU lies in its package",
        ),
        pytest.param(
            [("power_meter", "ACPI000D:00", {"power1_average": 900 * W})],
            {"platform/node-ACPI000D:00": (900 * W, False)},
            id="the node's own meter holds everything",
        ),
        pytest.param(
            [
                ("power_meter", f"ACPI000D:0{i}", {"power1_average": i * W, "power1_oem_info": text})
                for i, text in enumerate(GRACE)
            ],
            {
                "platform/module-socket-0": (0, False),
                "platform/grace-socket-0": (W, False),
                "cpu/cpu-socket-0": (2 * W, True),
                "cpu/sysio-socket-0": (3 * W, True),
            },
            id="a Grace socket: its two rails are added, what holds them is shown",
        ),
        pytest.param(
            [
                (
                    "",
                    "ACPI000D:00",
                    {
                        **{"device__name": "power_meter", "device__power1_average": 7 * W},
                        "device__power1_oem_info": "CPU Power Socket 1",
                    },
                )
            ],
            {"cpu/cpu-socket-1": (7 * W, True)},
            id="up to Linux 6.15 ACPI's files lie with its device",
        ),
        pytest.param(
            [("xe", "0000:04:00.0", {"energy2_input": 5 * W})],
            {"gpu/0000:04:00.0": (5 * W, True)},
            id="an Intel GPU that tells its package only",
        ),
        pytest.param(
            [("amdgpu", "0000:05:00.0", {"power1_input": 25 * W, "device__device": "0x74a0"})],
            {"platform/apu-0000:05:00.0": (25 * W, False)},
            id="an MI300A holds processors as well",
        ),
        pytest.param(
            [("amdgpu", f"0000:0{i}:00.0", {"power1_average": uw}) for i, uw in ((3, 400 * W), (4, 0))],
            {"gpu/0000:03:00.0": (400 * W, True), "gpu/0000:04:00.0": (None, True)},
            id="the second die of an MI250X tells nothing, not none",
        ),
        pytest.param(
            [
                (
                    "ina3221",
                    "i2c-1/1-0040",
                    {
                        **{"in1_label": "VDD_IN", "in1_input": 5000, "curr1_input": 2000},
                        **{"in2_label": "VDD_CPU_GPU_CV", "in2_input": 5000, "curr2_input": 1000},
                        **{"in3_label": "VDD_SOC", "in3_input": 5000, "curr3_input": 500},
                        **{"in4_label": "sum of shunt voltages", "in4_input": 9, "curr4_input": 9},
                    },
                ),
            ],
            {
                "platform/vdd_in": (10 * W, False),
                "cpu/vdd_cpu_gpu_cv": (5 * W, False),
                "gpu/vdd_cpu_gpu_cv": (5 * W, True),
                "cpu/vdd_soc": (2_500_000, True),
            },
            id="a Jetson Orin Nano: 10 W go in, of which two rails are added",
        ),
        pytest.param(
            [
                (
                    "ina3221",
                    "i2c-1/1-0040",
                    {
                        **{"in1_label": "GPU", "in1_input": 19_000, "curr1_input": 100},
                        **{"in2_label": "CPU", "in2_input": 19_000, "curr2_input": 50},
                        **{"in3_label": "VDDRQ", "in3_input": 19_000, "curr3_input": 10},
                    },
                ),
                ("ina3221", "i2c-1/1-0041", {"in1_label": "NC", "in1_input": 0, "curr1_input": 0}),
            ],
            {"gpu/gpu": (1_900_000, True), "cpu/cpu": (950_000, True), "dram/vddrq": (190_000, True)},
            id="a Jetson Xavier: a rail for each",
        ),
        pytest.param(
            [
                (
                    "amd_energy",
                    "platform/amd_energy.0",
                    {
                        **{"energy1_label": "Ecore000", "energy1_input": 3},
                        **{"energy2_label": "Ecore001", "energy2_input": 4},
                        **{"energy9_label": "Esocket1", "energy9_input": 9 * W},
                        **{"energy10_label": "Esocket0", "energy10_input": 7 * W},
                    },
                )
            ],
            {"cpu/package-0": (7 * W, True), "cpu/package-1": (9 * W, True)},
            id="sockets of AMD are added, their cores never",
        ),
        pytest.param(
            [
                ("coretemp", "platform/coretemp.0", {"temp1_input": 50_000}),
                ("amdgpu", "0000:03:00.0", {"temp1_input": 50_000}),
                ("amdgpu", "0000:07:00.0", {"power1_input": 5 * W}),
            ],
            {"gpu/0000:07:00.0": (5 * W, True)},
            id="chips without power",
        ),
    ],
)
def test_a_chip_is_known_by_its_name_and_a_gpu_by_its_place(tmp_path, chips, expected):
    with opened(tmp_path, *chips) as reader:
        assert shown(reader) == expected


def test_sockets_of_amd_stand_in_order_and_tell_that_they_are_counted_by_node(tmp_path):
    labels = {f"energy{i + 1}_label": f"Esocket{i}" for i in (10, 0, 2)}
    files = labels | {f"energy{i + 1}_input": i for i in (10, 0, 2)}
    with opened(tmp_path, ("amd_energy", "platform/amd_energy.0", files)) as reader:
        assert [c.name for c in reader.channels] == [f"cpu/package-{i}" for i in (0, 2, 10)]
        assert reader.read() == [0, 2, 10]
        assert all("NUMA" in c.note for c in reader.channels)


def test_one_socket_of_amd_has_nothing_to_tell(tmp_path):
    files = {"energy1_label": "Esocket0", "energy1_input": 5}
    with opened(tmp_path, ("amd_energy", "platform/amd_energy.0", files)) as reader:
        assert [(c.note, c.wrap, c.covers) for c in reader.channels] == [("", None, "cpu/package-0")]


def test_one_meter_is_that_of_the_node_and_of_two_each_may_hold_a_part(tmp_path):
    node = ("power_meter", "ACPI000D:00", {"power1_average": 900 * W})
    rail = ("power_meter", "ACPI000D:05", {"power1_average": 9 * W, "power1_oem_info": GRACE[0]})
    apu = ("amdgpu", "0000:05:00.0", {"power1_input": 25 * W, "in1_input": 800})
    with opened(tmp_path / "one", node, rail, apu) as reader:
        assert [c.name for c in reader.channels if c.node] == ["platform/node-ACPI000D:00"]
    with opened(tmp_path / "two", node, ("power_meter", "ACPI000D:01", {"power1_average": W})) as reader:
        assert not any(c.node for c in reader.channels)


def test_no_chip_that_we_know_is_told(tmp_path):
    with pytest.raises(ReaderUnavailable, match="no power sensor"):
        HwmonReader(tmp_path)
    with pytest.raises(ReaderUnavailable, match="no power sensor"):
        opened(tmp_path, ("coretemp", "platform/coretemp.0", {"temp1_input": 5}))


def test_a_sensor_that_nobody_may_read_gives_the_command_that_opens_it(tmp_path):
    (chip(tmp_path, 0, "amdgpu", "0000:03:00.0") / "power1_average").mkdir()
    with pytest.raises(ReaderUnavailable) as caught:
        HwmonReader(tmp_path / "class/hwmon")
    assert caught.value.fix.startswith("Run: sudo chmod a+r ")


def test_a_gpu_that_sleeps_at_the_start_may_wake_up(tmp_path):
    with opened(tmp_path, ("amdgpu", "0000:03:00.0", {"power1_average": ""})) as reader:
        assert list(reader.read()) == [None]
        (tmp_path / "class/hwmon/hwmon0/power1_average").write_text(f"{9 * W}\n")
        assert list(reader.read()) == [9 * W]


def test_a_gpu_that_sleeps_is_a_gap_and_the_others_are_not(tmp_path):
    chips = [("amdgpu", f"0000:0{i}:00.0", {"power1_average": i * W}) for i in (3, 4)]
    with opened(tmp_path, *chips) as reader:
        path = tmp_path / "devices/0000:03:00.0/hwmon/hwmon0/power1_average"
        path.write_text("")  # what the driver answers with is an error; an empty answer is none either
        assert list(reader.read()) == [None, 4 * W]
        path.write_text(f"{9 * W}\n")
        assert list(reader.read()) == [9 * W, 4 * W]


@pytest.mark.parametrize(
    ("kinds", "interval_s", "period_s"),
    [
        pytest.param(["power1_average"], 15, 1.0, id="power is sampled"),
        pytest.param(["power1_average"], 1, 0.1, id="ten times an interval"),
        pytest.param(["energy1_input"], 15, 15, id="a counter remembers"),
        pytest.param(["energy1_input"], 600, 60, id="but its driver has to look"),
        pytest.param(["energy1_input", "power1_average"], 15, 1.0, id="both"),
    ],
)
def test_how_often_it_is_read(tmp_path, kinds, interval_s, period_s):
    names = {"power1_average": "amdgpu", "energy1_input": "xe"}
    chips = [(names[kind], f"0000:0{i}:00.0", {kind: 1}) for i, kind in enumerate(kinds)]
    with opened(tmp_path, *chips) as reader:
        assert reader.period_s(interval_s) == period_s


def test_the_meters_own_interval_is_known(tmp_path):
    files = {"power1_average": W, "power1_average_interval": 4000}
    with opened(tmp_path, ("power_meter", "ACPI000D:00", files)) as reader:
        assert reader.channels[0].refresh_s == 4.0


@pytest.mark.parametrize(
    ("environ", "seen"),
    [
        pytest.param({}, "abc", id="all"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "2,0"}, "ca", id="two"),
        pytest.param({"HIP_VISIBLE_DEVICES": "1"}, "b", id="HIP's list"),
        pytest.param({"CUDA_VISIBLE_DEVICES": "1"}, "b", id="CUDA's, where HIP has none"),
        pytest.param({"CUDA_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, "a", id="HIP's goes first"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "1,2", "HIP_VISIBLE_DEVICES": "1"}, "c", id="one of the other"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "GPU-feed"}, "b", id="by its id"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "0,7,1"}, "a", id="the list ends where it names none"),
        pytest.param({"HIP_VISIBLE_DEVICES": "-1"}, "", id="none"),
        pytest.param({"HIP_VISIBLE_DEVICES": ""}, "", id="none, either"),
        pytest.param({"HIP_VISIBLE_DEVICES": "0,0"}, "a", id="one of them twice"),
    ],
)
def test_only_what_the_program_may_see_is_read(tmp_path, environ, seen):
    gpus = [
        chip(tmp_path, i, "amdgpu", f"0000:0{i}:00.0", power1_average=1, device__unique_id=unique)
        for i, unique in enumerate(("dead", "feed", "beef"))
    ]
    assert "".join("abc"[i] for i in rocm_listed([rocr_name(gpu) for gpu in gpus], environ)) == seen


@pytest.mark.parametrize(
    ("visible", "shares"),
    [
        pytest.param(None, {3: 1, 4: 1}, id="all of both"),
        pytest.param("1", {3: 0.125}, id="an eighth of the first"),
        pytest.param("8", {4: 0.5}, id="half of the second"),
        pytest.param("8,9,0", {3: 0.125, 4: 1}, id="an eighth, and all"),
    ],
)
def test_partitions_of_a_card_are_counted_as_rocm_counts_them(tmp_path, monkeypatch, visible, shares):
    if visible is not None:
        monkeypatch.setenv("ROCR_VISIBLE_DEVICES", visible)
    chips = [
        ("amdgpu", f"0000:0{i}:00.0", {"power1_average": W, "device__current_compute_partition": mode})
        for i, mode in ((3, "CPX"), (4, "DPX"))
    ]
    with opened(tmp_path, *chips) as reader:
        assert {c.name: c.share for c in reader.channels} == {
            f"gpu/0000:0{i}:00.0": share for i, share in shares.items()
        }
        assert ["partition" in c.note for c in reader.channels] == [share < 1 for share in shares.values()]
        for channel in reader.channels:
            assert sum(channel.slices.values()) == (channel.share if channel.share < 1 else 0)


def test_gpus_on_the_chip_of_a_processor_are_made_with_the_machine(tmp_path):
    rails = {"in1_label": "GPU", "in1_input": 19_000, "curr1_input": 100}
    chips = [
        ("ina3221", "i2c-1/1-0040", rails),
        ("xe", "0000:00:02.0", {"energy1_input": W}),
        ("xe", "0000:04:00.0", {"energy1_input": W}),
    ]
    with opened(tmp_path, *chips) as reader:
        assert {c.name: c.embedded for c in reader.channels} == {
            "gpu/gpu": True, "gpu/0000:00:02.0": True, "gpu/0000:04:00.0": False
        }  # fmt: skip


def test_one_of_two_that_nobody_may_read_is_left_to_others_and_told(tmp_path):
    (chip(tmp_path, 1, "xe", "0000:04:00.0") / "energy1_input").mkdir()
    with opened(tmp_path, ("amdgpu", "0000:03:00.0", {"power1_average": 3 * W})) as reader:
        assert shown(reader) == {"gpu/0000:03:00.0": (3 * W, True), "gpu/0000:04:00.0": (None, False)}
        assert "sudo chmod a+r" in reader.channels[1].note


def test_what_is_hidden_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "1")
    chips = [("amdgpu", f"0000:0{i}:00.0", {"power1_average": i}) for i in (3, 4)]
    apu = ("amdgpu", "0000:00:01.0", {"power1_average": 5, "in1_input": 800})
    with opened(tmp_path, *chips, apu) as reader:
        assert [c.name for c in reader.channels] == ["platform/apu-0000:00:01.0", "gpu/0000:04:00.0"]
        assert [c.hidden for c in reader.channels] == [0, 1]


def test_what_it_reads_becomes_energy(tmp_path):
    """300 W of a GPU and 40 W of a processor for as long as the run took; the node's meter beside them."""
    rail = {"power1_average": 40 * W, "power1_oem_info": "CPU Power Socket 0"}
    chips = [
        ("amdgpu", "0000:03:00.0", {"power1_average": 300 * W}),
        ("power_meter", "ACPI000D:00", rail),
        ("power_meter", "ACPI000D:01", {"power1_average": 500 * W}),
    ]
    with (
        opened(tmp_path, *chips) as reader,
        wm.track(readers={"hwmon": reader}, ledger=tmp_path / "runs", interval=0.02, scope="machine") as run,
    ):
        time.sleep(0.2)
    footprint = run.footprint()
    found = {part.name: part for part in footprint.components}
    gpu, cpu = found["gpu/0000:03:00.0"], found["cpu/cpu-socket-0"]
    node = found["platform/node-ACPI000D:01"]
    assert gpu.energy_j.best == pytest.approx(300 * footprint.duration_s, rel=0.02)
    assert cpu.energy_j.best == pytest.approx(40 * footprint.duration_s, rel=0.02)
    assert gpu.energy_j.low < gpu.energy_j.best < gpu.energy_j.high
    assert gpu.how == "power samples, each held until the next"
    assert (gpu.counted, cpu.counted, node.counted) == (True, True, False)
