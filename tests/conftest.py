"""What every test finds: Hypothesis without deadlines, and global settings as they were before it."""

import os

import pytest
from hypothesis import HealthCheck, settings
from tinygrad_lite_kernels import threads

import tinygrad_lite as tg
from tinygrad_lite import devices
from tinygrad_lite.autograd.modes import mode
from tinygrad_lite.ops.random import default_generator

QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=QUIET, print_blob=True)
# the same examples every time, so that a change is judged by what it changes
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=QUIET, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def global_settings_are_restored():
    count, device, state = threads.get_num_threads(), devices.get(), default_generator.get_state()
    yield
    if threads.get_num_threads() != count:
        threads.set_num_threads(count)
    tg.set_default_device(device.name)
    default_generator.set_state(state)
    leaked, mode.enabled = not mode.enabled, True
    assert not leaked, "the test left gradients switched off"
