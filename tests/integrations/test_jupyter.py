"""A real IPython: a cell is recorded, and stays what it is."""

import pytest

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def ipython():
    return pytest.importorskip("IPython", reason="IPython is not installed; run: make trainers")


@pytest.fixture
def shell(ipython):
    """A shell that keeps no history and shows into a list, with our extension in it."""
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    made = ipython.core.interactiveshell.InteractiveShell.instance(config=settings)
    made.shown = []
    made.display_pub.publish = lambda data, *_, **__: made.shown.append(data)
    made.run_cell("%colors nocolor")
    made.run_cell("%load_ext wattermark")
    yield made
    made.run_cell("%unload_ext wattermark")
    made.__class__.clear_instance()


def run(shell, *lines):
    """A cell as a person runs it, with its number counted on."""
    return shell.run_cell("\n".join(lines), store_history=True)


def ends(kept):
    return [(run.header.name, run.status, run.detail) for run in kept()]


@pytest.mark.parametrize(
    "magic", ["%%wattermark", "\n%%wattermark", "%wattermark", "%%capture\n%%wattermark"]
)
def test_a_cell_is_a_run_called_by_its_number(shell, kept, magic):
    run(shell, "x = 1")
    done = run(shell, magic, "x = x + 1")
    assert done.success and shell.user_ns["x"] == 2
    assert ends(kept) == [("cell 2", "ok", "")]
    run(shell, "x = x + 1")
    assert len(kept()) == 1


def test_options_are_those_of_a_run(shell, kept):
    run(shell, "%%wattermark --name 'my cell' --place deu --pue 1.3 --interval 0.5", "pass")
    (one,) = kept()
    header = one.header
    assert (header.name, header.place, header.pue, header.interval_s) == ("my cell", "deu", 1.3, 0.5)


def test_the_result_is_shown_as_text_and_as_a_table(shell, kept):
    run(shell, "%%wattermark --name <b>", "sum(range(10**6))")
    (shown,) = shell.shown
    text, page = shown["text/plain"], shown["text/html"]
    assert text.splitlines()[0].startswith("<b>  ok") and "water" in text
    assert text.splitlines()[-1] == f"  more: wattermark show {kept()[0].header.run}"
    assert "<b>&lt;b&gt;  ok" in page and "<table" in page and "<b>  ok" not in page


def test_what_is_quiet_is_recorded_and_not_shown(shell, kept):
    run(shell, "%%wattermark --quiet", "pass")
    assert shell.shown == [] and len(kept()) == 1


def test_the_last_value_of_a_cell_is_its_result(shell):
    assert run(shell, "%%wattermark", "40 + 2").result == 42


def test_an_exception_is_the_cells_own(shell, kept, capsys):
    done = run(shell, "%%wattermark", "secret = 'hunter2'", "raise KeyError(secret)")
    assert isinstance(done.error_in_exec, KeyError)
    told = capsys.readouterr().out
    assert "----> 3 raise KeyError(secret)" in told and "wattermark/integrations" not in told
    assert ends(kept) == [("cell 1", "failed", "KeyError")]


def test_a_cell_may_await(shell, kept):
    done = run(shell, "%%wattermark", "import asyncio", "await asyncio.sleep(0.01)", "'slept'")
    assert done.result == "slept"
    assert ends(kept) == [("cell 1", "ok", "")]


def test_a_cell_below_another_magic_is_recorded(shell, kept):
    run(shell, "%%wattermark", "%%capture kept", "print('inner')")
    assert shell.user_ns["kept"].stdout == "inner\n"
    assert ends(kept) == [("cell 1", "ok", "")]


def test_a_cell_that_runs_another_is_recorded_to_its_end(shell, kept):
    run(
        shell,
        "%%wattermark",
        "get_ipython().run_cell('1 + 1')",
        "during = get_ipython().wattermark_notebook.run",
    )
    assert shell.user_ns["during"].recording is False
    assert ends(kept) == [("cell 1", "ok", "")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--pue 0.5", "pue is '0.5', but facility energy over IT energy lies between 1 and 5"),
        ("--place nowhere-land", "nowhere-land"),
        ("--nmae x", "unrecognized arguments: --nmae x. See: %wattermark --help"),
        ("--name 'x", "No closing quotation. See: %wattermark --help"),
    ],
)
def test_a_bad_option_is_one_sentence_and_the_cell_is_not_run(shell, kept, capsys, line, said):
    done = run(shell, f"%%wattermark {line}", "ran = True")
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert said in sentence and sentence.startswith("UsageError: %wattermark: ")
    assert not done.success and "ran" not in shell.user_ns and kept() == []


def test_help_teaches_by_example_and_the_cell_is_not_run(shell, kept, capsys):
    done = run(shell, "%%wattermark --help", "ran = True")
    assert "%%wattermark --name baseline --place deu" in capsys.readouterr().out
    assert done.success and "ran" not in shell.user_ns and kept() == []


def test_loaded_twice_it_records_once_and_unloaded_it_is_gone(shell, kept):
    run(shell, "%reload_ext wattermark")
    run(shell, "%%wattermark", "pass")
    assert len(kept()) == 1 and len(shell.shown) == 1
    run(shell, "%unload_ext wattermark")
    run(shell, "%%wattermark", "ran = True")
    assert len(kept()) == 1 and "ran" not in shell.user_ns
