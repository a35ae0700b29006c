"""A run's forecast, while it runs, on steps that really take time."""

import time

import pytest

import wattermark as wm


def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def step(seconds):
    """As long whatever else runs here: it works for a third of its time and waits for the rest."""
    end = time.monotonic() + seconds
    work(seconds / 3)
    time.sleep(max(end - time.monotonic(), 0))


@pytest.mark.slow
def test_the_first_steps_tell_the_whole_run(ledger):
    with wm.track(name="train", place="deu", interval=0.1) as run:
        for epoch in range(10):
            with run.span("epoch", epoch):
                with run.span("batch"):
                    step(0.05)
                step(0.15 if epoch else 0.55)
            if epoch == 4:
                told = run.forecast(total_steps=10)
    whole = run.footprint()
    assert (told.step, told.done_steps, told.total_steps, told.warm_up_steps) == ("epoch", 5, 10, 1)
    assert told.duration_s.best == pytest.approx(whole.duration_s, rel=0.15)
    assert told.it_energy_j.best == pytest.approx(whole.it_energy_j.best, rel=0.2)
    for name in ("it_energy_j", "facility_energy_j", "carbon_g", "water_l"):
        found, so_far = getattr(told, name), getattr(whole, name)
        assert found.low < so_far.best < found.high
    assert told.ends_at_s.best - time.time() == pytest.approx(0, abs=2)


def test_a_forecast_needs_a_step(ledger):
    with wm.track(name="train") as run:
        with pytest.raises(wm.UsageError, match="no span is closed yet"):
            run.forecast(total_steps=10)
        with run.span("epoch", 1):
            work(0.1)
        told = run.forecast(total_steps=10)
        assert told.done_steps == 1 and told.duration_s.low < told.duration_s.best < told.duration_s.high
        with pytest.raises(wm.UsageError, match="no span 'step' is closed yet"):
            run.forecast(total_steps=10, step="step")
        with pytest.raises(wm.UsageError, match="total_steps is 0"):
            run.forecast(total_steps=0)


def test_at_the_end_all_is_known(ledger):
    with wm.track(name="train", place="deu") as run:
        for epoch in range(3):
            with run.span("epoch", epoch):
                work(0.02)
    told, whole = run.forecast(total_steps=3), run.footprint()
    assert told.remaining_s == wm.Range.exact(0.0)
    assert told.carbon_g.best == pytest.approx(whole.carbon_g.best)
    with pytest.raises(wm.UsageError, match="3 spans 'epoch' are done already, of 2"):
        run.forecast(total_steps=2)


def test_a_training_that_stops_early_is_charged_with_what_it_did(ledger):
    with wm.track(name="train", place="deu") as run:
        for epoch in range(3):
            with run.span("epoch", epoch, of=100):
                work(0.02)
        ahead = run.forecast()
    told, whole = run.forecast(total_steps=3), run.footprint()
    assert ahead.total_steps == 100 and ahead.duration_s.best > 10 * whole.duration_s
    assert (told.done_steps, told.remaining_s) == (3, wm.Range.exact(0.0))
    assert told.duration_s.best == pytest.approx(whole.duration_s)


def test_a_run_that_never_started_has_no_forecast():
    with pytest.raises(wm.UsageError, match="never started"):
        wm.track(name="t").forecast(total_steps=3)
