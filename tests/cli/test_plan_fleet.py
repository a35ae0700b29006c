"""``wattermark plan fleet`` as a person types it: a file of jobs in, a plan for each out."""

import json
import subprocess
import sys

import pytest

from wattermark.report.planned import plan_of

HEAD = "name,hours,energy_kwh,units,within\n"
JOBS = HEAD + "".join(f"job{i},{1 + i % 5},{10 + i},1,30h\n" for i in range(12))


def wm(home, *words, jobs=JOBS, first=()):
    """The command in the user's folder, where the jobs lie in jobs.csv."""
    path = f"{home['HOME']}/jobs.csv"
    with open(path, "wb") as file:
        file.write(jobs if isinstance(jobs, bytes) else jobs.encode())
    return subprocess.run(
        [sys.executable, *(first or ("-m", "wattermark")), "plan", "fleet", "jobs.csv", *words],
        capture_output=True, text=True, timeout=60, check=False, cwd=home["HOME"], env=home,
    )  # fmt: skip


def planned(home, *words, **told):
    done = wm(home, *words, "--json", **told)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["fleet"]


def busiest(jobs, place):
    """The most units that run at a place at once."""
    runs = [
        (stretch["begin_s"], stretch["end_s"], one["units"])
        for one in jobs
        if one["best"]["place"] == place
        for stretch in one["best"]["stretches"]
    ]
    return max((sum(u for b, e, u in runs if b <= at < e) for at, _, _ in runs), default=0)


@pytest.mark.parametrize("exact", [(), ("--exact",)], ids=["prices", "exact"])
def test_jobs_share_what_there_is(home, exact):
    plan = planned(home, "--places", "deu,swe", "--capacity", "swe=2,deu=1", *exact)
    assert len(plan["jobs"]) == 12 and plan["unplaced"] == []
    assert busiest(plan["jobs"], "swe") == 2
    assert busiest(plan["jobs"], "deu") <= 1
    assert 0 < plan["bound"] <= plan["cost"] * (1 + 1e-9)
    carbon = plan["sums"][0]
    assert carbon["planned"] < carbon["now"]
    assert not exact or plan["proven"]


def test_one_plan_a_job_as_a_job_alone_has(home, tmp_path):
    done = wm(home, "--places", "deu,swe", "--out", "plans")
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "plans").iterdir())
    assert [file.name for file in files] == sorted(f"job{i}.json" for i in range(12))
    for file in files:
        plan = plan_of(json.loads(file.read_text(encoding="utf-8")))
        assert plan.best.place == "swe"
        assert plan.job.earliest_s <= plan.best.begin_s <= plan.best.finish_s <= plan.job.deadline_s
        assert {heard.place for heard in plan.heard} == {"deu", "swe"}
    assert "12 plans in plans" in done.stdout


def test_names_that_no_system_would_take_as_files(home, tmp_path):
    wm(home, "--out", "plans", jobs=HEAD + "a/b,1,1,1,9h\na:b,1,1,1,9h\n../x,1,1,1,9h\n")
    assert sorted(file.name for file in (tmp_path / "plans").iterdir()) == [
        "a_b-2.json",
        "a_b.json",
        "x.json",
    ]


def test_a_person_reads_it_and_the_left_over_are_named(home):
    done = wm(
        home, "--places", "deu,swe", "--capacity", "swe=1",
        jobs=HEAD + "train,8,120,1,48h\nhuge,2,5,9,48h\nlate,5,5,1,3h\n",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["train", "swe"] in [row[:2] for row in rows]
    assert "late: its deadline comes before it could end: 5 h in 3 h" in done.stdout
    assert "first come first" in done.stdout
    assert "huge" in done.stdout


def test_columns_in_any_order_and_by_other_names(home):
    text = "\ufeffRegions; Within ;GPUs;Power kW;Job;owner;Hours;Interruptible\n"
    text += "swe deu;9h;2;3.5;x;me;90m;yes\n\n"
    plan = planned(home, jobs=text)
    (job,) = plan["jobs"]
    assert (job["name"], job["units"], job["best"]["place"]) == ("x", 2.0, "swe")
    assert plan["flags"][0].startswith("column-unknown: 'owner' was not read")


def test_a_clock_in_another_zone(home):
    """Three ways to write one deadline."""
    rows = ("2099-12-01T10:00+09:00", "2099-12-01T01:00Z", "2099-11-30T20:00-05:00")
    text = "name,hours,energy_kwh,earliest,deadline\n"
    text += "".join(f"j{i},1,1,2099-12-01T00:00Z,{row}\n" for i, row in enumerate(rows))
    jobs = planned(home, jobs=text)["jobs"]
    assert {one["best"]["begin"] for one in jobs} == {"2099-12-01T00:00:00Z"}


def test_rooms_by_a_file(home, tmp_path):
    (tmp_path / "rooms.csv").write_text(
        "place,capacity,from,until\nswe,0,,\nswe,1,2099-01-01T02:00Z,2099-01-01T04:00Z\n", encoding="utf-8"
    )
    text = "name,hours,energy_kwh,earliest,within\na,1,1,2099-01-01T00:00Z,9h\nb,1,1,2099-01-01T00:00Z,9h\n"
    plan = planned(home, "--places", "swe", "--capacity", "rooms.csv", jobs=text)
    begun = sorted(one["best"]["begin"] for one in plan["jobs"])
    assert begun == ["2099-01-01T02:00:00Z", "2099-01-01T03:00:00Z"]


@pytest.mark.parametrize(
    ("jobs", "words", "says"),
    [
        pytest.param("", (), "jobs.csv is empty", id="an empty file"),
        pytest.param("\n\n", (), "jobs.csv is empty", id="empty lines"),
        pytest.param(HEAD, (), "holds no jobs", id="columns alone"),
        pytest.param("a,8,120,1,48h\n", (), "has no column hours", id="no line of columns"),
        pytest.param(HEAD + "a,8,-3,1,9h\n", (), "line 2: energy is '-3'", id="an energy below zero"),
        pytest.param(HEAD + "a,8,nan,1,9h\n", (), "line 2: energy is 'nan'", id="an energy that is none"),
        pytest.param(HEAD + "a,8,inf,1,9h\n", (), "line 2: energy is 'inf'", id="an energy without end"),
        pytest.param(HEAD + "a,8,,1,9h\n", (), "neither energy nor power", id="nothing to burn"),
        pytest.param(HEAD + "a,,1,1,9h\n", (), "takes no time", id="no length"),
        pytest.param(HEAD + "a,0,1,1,9h\n", (), "takes no time", id="a length of zero"),
        pytest.param(HEAD + "a,soon,1,1,9h\n", (), "line 2: hours is 'soon'", id="a length that is none"),
        pytest.param(HEAD + "a,1,1,0,9h\n", (), "line 2: units is '0'", id="no units"),
        pytest.param(HEAD + "a,1,1,1,\n", (), "line 2: it has no deadline", id="no deadline"),
        pytest.param(
            HEAD + "a,1,1,1,9h\nb,1,1,1,9h\na,2,1,1,9h\n",
            (),
            "line 4: there is a job 'a' in line 2",
            id="a name twice",
        ),
        pytest.param(HEAD + "a,1,1,1,9h,deu,x\n", (), "line 2: it has 7 cells for 5", id="too many cells"),
        pytest.param(HEAD + '"a,1,1,1,9h\n', (), "is no CSV", id="a quote that does not end"),
        pytest.param(HEAD + "a,1,1,1,9h\n", ("--places", "atlantis"), "atlantis", id="an unknown place"),
        pytest.param("name,hours,kwh,within,place\na,1,1,9h,atlantis\n", (), "atlantis", id="of a job"),
        pytest.param(
            HEAD + "a,1,1,1,9h\n",
            ("--capacity", "sew=4", "--places", "swe"),
            "Did you mean swe",
            id="a capacity of a place that nobody asked for",
        ),
        pytest.param(
            HEAD + "a,1,1,1,9h\n",
            ("--capacity", "swe=-1", "--places", "swe"),
            "capacity 'swe=-1'",
            id="a capacity below zero",
        ),
        pytest.param(
            HEAD + "a,1,1,1,9h\n",
            ("--capacity", "swe=4,deu=4kW", "--places", "swe,deu"),
            "some capacities are in units",
            id="units and kW",
        ),
        pytest.param(
            HEAD + "a,1,1,1,9h\n",
            ("--capacity", "nowhere.csv"),
            "nowhere.csv cannot be read",
            id="no file of capacities",
        ),
        pytest.param(HEAD + "a,1,1,1,9h\n", ("--slot", "1s"), "slot", id="slots of a second"),
        pytest.param(HEAD + "a,1,1,1,9h\n", ("--prices", "WORLD=nan"), "is nan", id="a price that is none"),
        pytest.param(HEAD + "a,1,1,1,9h\n", ("--prices", "fra=1"), "none of the places", id="of elsewhere"),
        pytest.param(HEAD + "a,1,1,1,9h\n", ("--capacity", "swe=1,swe=2"), "told twice", id="two capacities"),
        pytest.param(
            HEAD + "a,1,1,1,9h\n", ("--weights", "carbon=-1"), "weight of carbon", id="a weight below 0"
        ),
        pytest.param(
            "name,hours,kwh,deadline\na,1,1,tomorrow\n", (), "line 2: deadline is 'tomorrow'", id="no moment"
        ),
        pytest.param(
            "name,hours,kwh,deadline\na,1,1,9999-01-01\n",
            (),
            "slots, more than",
            id="a deadline in the next age",
        ),
        pytest.param(
            "name,hours,kwh,kwh,within\na,1,1,1,9h\n", (), "two columns of energy", id="a column twice"
        ),
        pytest.param(
            "name,hours,kwh,within,interruptible\na,1,1,9h,perhaps\n",
            (),
            "interruptible is 'perhaps'",
            id="neither yes nor no",
        ),
        pytest.param(
            "name,hours,kwh,within,places,home\na,1,1,9h,deu,swe\n",
            (),
            "none of its places",
            id="a home elsewhere",
        ),
        pytest.param(b"name,hours\n\xff\xfe\n", (), "not in UTF-8", id="other letters"),
    ],
)
def test_nonsense_is_one_sentence_that_says_where(home, jobs, words, says):
    done = wm(home, *words, jobs=jobs)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("row", "words", "says"),
    [
        pytest.param("a,5,1,1,3h", (), "5 h in 3 h", id="longer than its window"),
        pytest.param(
            "a,5,1,1,9h", ("--capacity", "swe=0", "--places", "swe"), "no room", id="a capacity of 0"
        ),
        pytest.param("a,1,1,1,0", (), "has passed", id="no window"),
    ],
)
def test_nothing_that_can_be_planned(home, row, words, says):
    done = wm(home, *words, jobs=HEAD + row + "\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr


def test_a_deadline_in_the_past_does_not_keep_others_back(home):
    text = "name,hours,kwh,deadline\nold,1,1,2020-01-01T00:00Z\nnew,1,1,\n"
    plan = planned(home, "--within", "9h", jobs=text)
    assert [one["name"] for one in plan["jobs"]] == ["new"]
    assert plan["unplaced"] == [{"name": "old", "reason": "its deadline has passed before it may start"}]


def test_exact_without_its_package_says_what_to_install(home):
    hidden = (
        "import sys; sys.modules['highspy'] = None; from wattermark.cli.main import main; sys.exit(main())"
    )
    done = wm(home, "--places", "deu,swe", "--capacity", "swe=1,deu=1", "--exact", first=("-c", hidden))
    assert done.returncode == 2
    assert "pip install 'wattermark[plan]'" in done.stderr


@pytest.mark.slow
def test_ten_thousand_and_one_lines(home):
    text = HEAD + "".join(f"j{i},{1 + i % 3},{1 + i % 7},1,20h\n" for i in range(10_001))
    plan = planned(home, "--places", "deu,swe", "--capacity", "deu=2000,swe=1000", jobs=text)
    assert len(plan["jobs"]) + len(plan["unplaced"]) == 10_001
    assert len({one["name"] for one in plan["jobs"]}) == len(plan["jobs"]) > 9_000
