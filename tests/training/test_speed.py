"""The forecast of a run, from pretended times."""

from __future__ import annotations

import pytest

from cifar_core.recipes import Recipe, recipe
from cifar_core.runs.forecast import closing_images
from cifar_core.training.speed import Speed

STEPS = 10
MONITORED = 500


def made(wanted: Recipe, *, closing_rate: float | None = None, on_cpu: bool = False) -> Speed:
    return Speed(wanted, steps=STEPS, monitored=MONITORED, closing_rate=closing_rate, on_cpu=on_cpu)


@pytest.fixture
def wanted() -> Recipe:
    return recipe("standard", "cnn4", epochs=4, batch_size=100)


def measured(speed: Speed, *step_seconds: float) -> Speed:
    """Adds a first call that compiles for a minute, and single steps."""
    speed.add_call(60.0, 1)
    for seconds in step_seconds:
        speed.add_call(seconds, 1)
    return speed


def test_the_call_that_compiles_has_no_part_in_the_forecast(wanted: Recipe) -> None:
    speed = measured(made(wanted), 0.1, 0.3, 0.5)
    measuring = 0.3 / 100 / 3 * MONITORED  # not measured yet: a third of training an image
    assert speed.seconds_left(0, 4) == pytest.approx(36 * 0.3 + 4 * measuring)
    assert speed.images_per_second() == pytest.approx(100 / 0.5)  # lately


def test_before_three_calls_nothing_is_forecast(wanted: Recipe) -> None:
    assert measured(made(wanted), 0.3, 0.3).seconds_left(0, 3) is None


def test_a_call_that_a_busy_machine_slowed_down_hardly_moves_the_forecast(
    wanted: Recipe,
) -> None:
    calm, disturbed = measured(made(wanted), 0.3, 0.3, 0.3, 0.3), measured(made(wanted), 0.3, 0.3)
    disturbed.add_call(90.0, 1)
    disturbed.add_call(0.3, 1)
    assert disturbed.seconds_left(0, 5) == calm.seconds_left(0, 5)


def test_the_measured_time_of_the_monitored_images_counts_once_for_each_epoch_to_come(
    wanted: Recipe,
) -> None:
    speed = measured(made(wanted), 0.3, 0.3, 0.3)
    speed.add_measuring(7.0)
    assert speed.seconds_left(1, 2) == pytest.approx(28 * 0.3 + 3 * 7.0)


def test_the_closing_phase_is_forecast_from_what_an_earlier_run_needed(wanted: Recipe) -> None:
    speed = measured(made(wanted, closing_rate=0.001), 0.3, 0.3, 0.3)
    speed.add_measuring(7.0)
    assert speed.closing_seconds() == pytest.approx(0.001 * closing_images(wanted))
    assert speed.seconds_left(4, 0) == speed.closing_seconds()


def test_on_the_cpu_the_monitored_images_tell_how_long_the_closing_phase_takes(
    wanted: Recipe,
) -> None:
    speed = made(wanted, on_cpu=True)
    assert speed.closing_seconds() is None
    speed = measured(speed, 0.3, 0.3, 0.3)
    early = speed.closing_seconds()
    assert early is not None  # from the speed of the steps, before an epoch was measured
    speed.add_measuring(7.0)
    assert early != speed.closing_seconds()
    assert speed.closing_seconds() == pytest.approx(7.0 / MONITORED * closing_images(wanted))


def test_a_gpu_tells_nothing_of_the_closing_phase(wanted: Recipe) -> None:
    speed = measured(made(wanted, on_cpu=False), 0.3, 0.3, 0.3)
    speed.add_measuring(7.0)
    assert speed.closing_seconds() is None
    assert speed.seconds_left(4, 0) is None  # unknown, and not zero


def test_the_engine_works_about_as_long_as_it_is_asked_to(wanted: Recipe) -> None:
    speed = made(wanted)
    assert speed.steps_in(1.0) == 1
    measured(speed)
    assert speed.steps_in(1.0) == 1  # compiling says nothing
    speed.add_call(0.05 * 4, 4)
    assert speed.steps_in(1.02) == 20
