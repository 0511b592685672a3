"""Random tensors: the same numbers everywhere, states, and distributions by their statistics."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensor_checks import DEVICES, both_devices, same
from tinygrad_lite_kernels import draws

import tinygrad_lite as tg

MAKERS = {
    "rand": lambda **o: tg.rand(3, 5, **o), "rand in float64": lambda **o: tg.rand(7, dtype="float64", **o),
    "randn": lambda **o: tg.randn(3, 3, **o), "randn in float64": lambda **o: tg.randn((2, 3), dtype="float64", **o),
    "randint": lambda **o: tg.randint(-3, 9, (4, 2), **o), "wide randint": lambda **o: tg.randint(0, 2**40, (5,), **o),
    "randperm": lambda **o: tg.randperm(11, **o),
}  # fmt: skip
many = 200_000
seeds = st.integers(-(2**64), 2**64)


@pytest.mark.parametrize("name", MAKERS)
@given(seed=seeds)
def test_every_device_draws_the_same_numbers(name, seed):
    first, second = (MAKERS[name](generator=tg.Generator(seed), device=device) for device in DEVICES)
    same(first, second.numpy())
    assert [first.device, second.device] == DEVICES


@pytest.mark.parametrize("name", MAKERS)
@both_devices
def test_seeds(name, device):
    make, generator = MAKERS[name], tg.Generator(3)
    first, second = make(generator=generator, device=device), make(generator=generator, device=device)
    same(make(generator=tg.Generator(3), device=device), first.numpy())
    assert (first != second).any() and (first != make(generator=tg.Generator(4), device=device)).any()
    tg.manual_seed(3)
    same(make(device=device), first.numpy())
    same(make(device=device), second.numpy())


@given(seeds, st.lists(st.sampled_from(list(MAKERS)), max_size=5))
def test_a_state_brings_the_same_numbers_back(seed, names):
    generator = tg.Generator(seed)
    for name in names:
        MAKERS[name](generator=generator)
    state = generator.get_state()
    expected = [MAKERS[name](generator=generator).numpy() for name in MAKERS]
    other = tg.Generator()
    other.set_state(state)
    for name, wanted in zip(MAKERS, expected, strict=True):
        same(MAKERS[name](generator=other), wanted)
    assert other.get_state() == generator.get_state() != state


def test_one_generator_does_not_disturb_another():
    tg.manual_seed(0)
    first = tg.rand(4).numpy()
    tg.manual_seed(0)
    tg.randn(9, generator=tg.Generator(1))
    same(tg.rand(4), first)
    a, b = tg.Generator(1), tg.Generator(1)
    assert [a.bits(5).tolist(), a.bits(2).tolist()] == [b.bits(5).tolist(), b.bits(2).tolist()]


# ---- distributions: bounds of six standard errors ----


def moments_agree(x, mean, variance, fourth):
    """Mean and variance of independent numbers with these first moments about their mean."""
    x = x.numpy().astype(np.float64)
    assert abs(x.mean() - mean) < 6 * math.sqrt(variance / x.size)
    assert abs(x.var() - variance) < 6 * math.sqrt((fourth - variance**2) / x.size)
    pairs = np.corrcoef(x[:-1], x[1:])[0, 1], np.corrcoef(x[: x.size // 2], x[x.size // 2 :])[0, 1]
    assert max(map(abs, pairs)) < 6 / math.sqrt(x.size / 2)


def distributed(x, cumulative):
    """The largest distance between the numbers' distribution and the function (Kolmogorov's and Smirnov's)."""
    wanted, place = cumulative(np.sort(x.numpy().astype(np.float64))), np.arange(1, x.size + 1) / x.size
    assert np.abs(wanted - place).max() < 2.5 / math.sqrt(x.size)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [0, 1])
def test_uniform_numbers(dtype, seed):
    x = tg.rand(many, dtype=dtype, generator=tg.Generator(seed))
    assert x.min().item() >= 0 and x.max().item() < 1 and x.dtype == dtype
    moments_agree(x, 1 / 2, 1 / 12, 1 / 80)
    distributed(x, lambda v: v)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [0, 1])
def test_normal_numbers(dtype, seed):
    x = tg.randn(many + 1, dtype=dtype, generator=tg.Generator(seed))
    assert x.size == many + 1 and x.dtype == dtype and tg.isfinite(x).all()
    moments_agree(x[1:], 0, 1, 3)
    distributed(x, lambda v: 0.5 * tg.erfc(tg.tensor(-v / math.sqrt(2))).numpy())
    assert 4 < tg.abs(x).max().item() < 6.5


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-5, 6), (10, 11), (0, 1000)])
def test_integers_of_a_small_range(low, high):
    x = tg.randint(low, high, (many,), generator=tg.Generator(5))
    counts = np.bincount(x.numpy() - low)
    assert x.dtype == tg.int64 and counts.size == high - low
    assert np.abs(counts - many / counts.size).max() <= 6 * math.sqrt(many / counts.size)


@pytest.mark.parametrize(("low", "high"), [(0, 2**32), (-(2**40), 2**40), (-(2**63), 2**63)])
def test_integers_of_a_wide_range(low, high):
    x = tg.randint(low, high, (many,), generator=tg.Generator(5))
    assert low <= x.min().item() and x.max().item() < high
    distributed(x, lambda v: (v - low) / (high - low))


def highest(key, start, count):
    """Bits that are all ones."""
    return np.full(count, 0xFFFFFFFF, np.uint32)


def test_the_highest_numbers_stay_in_their_range():
    state = np.zeros(2, np.uint64)
    for dtype in (np.float32, np.float64):
        assert draws.uniform(state, 4, np.dtype(dtype), highest).max() < 1
        assert np.isfinite(draws.normal(state, 4, np.dtype(dtype), highest)).all()
    for low, high in [(0, 3), (-5, 2**32 - 5), (-(2**63), 2**63)]:
        assert draws.integers(state, low, high, 2, highest).tolist() == [high - 1] * 2


@given(st.integers(0, 200), seeds)
def test_permutations(count, seed):
    x = tg.randperm(count, generator=tg.Generator(seed))
    assert sorted(x.tolist()) == list(range(count)) and x.dtype == tg.int64


def test_every_permutation_is_as_likely():
    generator = tg.Generator(0)
    found = [tuple(tg.randperm(4, generator=generator).tolist()) for _ in range(6000)]
    counts = [found.count(p) for p in set(found)]
    assert len(counts) == 24 and max(abs(c - 250) for c in counts) < 6 * math.sqrt(250)


def test_shapes_dtypes_and_gradients():
    assert [tg.rand().shape, tg.rand(0).shape, tg.rand(2, 0).shape, tg.randn((2, 3)).shape, tg.randn([4]).shape] == [
        (), (0,), (2, 0), (2, 3), (4,),
    ]  # fmt: skip
    assert (tg.randint(5).shape, tg.randint(5, shape=3).shape, tg.randperm(0).shape) == ((), (3,), (0,))
    assert tg.randint(0, 5, (2,), dtype=tg.uint8).dtype == tg.uint8
    assert tg.rand(2, requires_grad=True).requires_grad and tg.randn(2, requires_grad=True).is_leaf
    assert tg.random.rand is tg.rand and tg.random.default_generator.get_state().keys() == {"seed", "block"}


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tg.rand(-1), ValueError, "rand: a shape is made of integers that are not negative, got -1"),
        (lambda: tg.randn(2, 1.5), ValueError, "randn: a shape is made of integers"),
        (lambda: tg.rand(2, dtype=tg.int64), TypeError, "rand: dtype must be float32 or float64, got int64"),
        (lambda: tg.rand(2, device="gpu"), ValueError, "device 'gpu' is not known"),
        (lambda: tg.rand(2, generator=3), TypeError, "rand: generator must be a tg.Generator, got 3"),
        (lambda: tg.randint(3, 3), ValueError, "high must be larger than low, got low=3, high=3"),
        (lambda: tg.randint(0.5, 3), TypeError, "randint: low and high must be integers, got 0.5 and 3"),
        (lambda: tg.randint(300, dtype=tg.uint8), ValueError, "randint: uint8 does not hold all from 0 to 299"),
        (lambda: tg.randint(-1, 2, dtype=tg.bool), ValueError, "randint: bool does not hold all from -1 to 1"),
        (lambda: tg.randint(0, 2**64, (2,)), ValueError, "randint: int64 does not hold all from 0 to"),
        (lambda: tg.randint(3, generator=3), TypeError, "randint: generator must be a tg.Generator"),
        (lambda: tg.randperm(-1), ValueError, "randperm: count must be an integer that is not negative, got -1"),
        (lambda: tg.randperm(2.0), ValueError, "randperm: count must be an integer"),
        (lambda: tg.Generator("a"), TypeError, "seed: must be an integer, got 'a'"),
        (lambda: tg.manual_seed(1.5), TypeError, "seed: must be an integer, got 1.5"),
        (lambda: tg.Generator().set_state({"seed": 1}), ValueError, "set_state: needs what get_state gave"),
        (lambda: tg.Generator().set_state(7), ValueError, "set_state: needs what get_state gave, got 7"),
    ],
)  # fmt: skip
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()
