"""Random words on both devices against Philox4x32-10 written from its definition, one block at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_arrays import same_for_thread_counts
from tinygrad_lite_kernels.cpu import random as cpu
from tinygrad_lite_kernels.reference import random as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])


def philox(counter, key):
    """Ten rounds on four counter words and two key words, in Python's integers."""
    x, k = list(counter), list(key)
    for _ in range(10):
        first, second = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
        x = [second >> 32 ^ x[1] ^ k[0], second % 2**32, first >> 32 ^ x[3] ^ k[1], first % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return x


def words(key, start, count):
    """The stream that `bits` promises: block i encrypts the counter (i, 0) of 64 + 64 bits."""
    blocks = [(start + i) % 2**64 for i in range(-(-count // 4))]
    halves = key % 2**32, key // 2**32 % 2**32
    return [w for b in blocks for w in philox((b % 2**32, b >> 32, 0, 0), halves)][:count]


KNOWN = [  # counter, key, result: published with the algorithm's first implementation, Random123
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize("counter, key, result", KNOWN)
def test_known_answers(counter, key, result):
    assert philox(counter, key) == result


@DEVICES
@given(
    st.integers(-(2**64), 2**65), st.integers(-5, 2**65) | st.just(2**32 - 2) | st.just(2**64 - 2), st.integers(0, 41)
)
def test_words(device, key, start, count):
    got = device.bits(key, start, count)
    assert (got.dtype, got.shape) == (np.uint32, (count,))
    assert got.tolist() == words(key, start, count)


@DEVICES
def test_first_known_answer_is_the_first_block(device):
    assert device.bits(0, 0, 4).tolist() == KNOWN[0][2]


@pytest.mark.parametrize("count", [4 * cpu.GRAIN - 1, 8 * cpu.GRAIN, 20 * cpu.GRAIN + 6])
def test_thread_counts_and_devices_give_the_same_words(count):
    many = same_for_thread_counts(lambda: cpu.bits(2**63 + 11, 2**32 - 9, count))
    np.testing.assert_array_equal(many, reference.bits(2**63 + 11, 2**32 - 9, count))


@DEVICES
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 20), st.integers(0, 20))
def test_a_stream_can_be_entered_at_any_block(device, key, start, skipped, count):
    whole = device.bits(key, start, 4 * skipped + count)
    np.testing.assert_array_equal(device.bits(key, start + skipped, count), whole[4 * skipped :])


@DEVICES
def test_numpys_integers_are_integers(device):
    assert device.bits(np.int8(-3), np.int64(5), np.uint32(6)).tolist() == words(-3, 5, 6)


@DEVICES
def test_words_look_random(device):
    """A slip that keeps the known answers but repeats words, or freezes bits, would show here."""
    streams = np.concatenate([device.bits(key, 0, 50_000) for key in (0, 1, 2**32)])
    assert np.unique(streams).size > 149_990  # 2.6 repetitions are to be expected
    ones = [np.mean(streams >> np.uint32(bit) & np.uint32(1)) for bit in range(32)]
    assert np.abs(np.array(ones) - 0.5).max() < 5 * 0.5 / np.sqrt(streams.size)


@DEVICES
def test_bad_arguments(device):
    for arguments in [(0, 0, 2.0), (1.5, 0, 4), (0, None, 4)]:
        with pytest.raises(TypeError, match=r"^bits: the key, the first block and the count must be integers"):
            device.bits(*arguments)
    with pytest.raises(ValueError, match=r"^bits: the count must not be negative, got -1"):
        device.bits(0, 0, -1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 100) | st.just(300_001))
def test_uniform_numbers_are_the_references_bit_for_bit(dtype, key, start, count):
    states = [np.array([key, start], np.uint64) for _ in range(2)]
    got, wanted = (d.uniform(s, count, np.dtype(dtype)) for d, s in zip((cpu, reference), states, strict=True))
    assert got.dtype == wanted.dtype == dtype
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(*states)


def test_uniform_numbers_from_a_state_in_other_memory():
    apart, together = np.array([3, 9, 0], np.uint64)[::2], np.array([3, 0], np.uint64)
    wanted = reference.uniform(together, 5, np.dtype("f"))
    assert cpu.uniform(apart, 5, np.dtype("f")).tolist() == wanted.tolist()
    assert apart.tolist() == together.tolist() == [3, 2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_thread_counts_give_the_same_uniform_numbers(dtype):
    same_for_thread_counts(lambda: cpu.uniform(np.array([1, 2], np.uint64), 700_003, np.dtype(dtype)))
