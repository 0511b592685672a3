import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_checks import both_devices, tensor

import tinygrad_lite as tg
from tinygrad_lite import data


def numbers(loader):
    return [batch[0]._data.tolist() for batch in loader]


def dataset(n, device=None):
    return data.TensorDataset(tensor(np.arange(n), device), tensor(np.arange(2.0 * n).reshape(n, 2), device))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 30), st.integers(1, 12), st.booleans(), st.booleans(), st.integers(0, 2**64 - 1))
def test_every_sample_once(n, size, shuffle, drop, seed):
    loader = data.DataLoader(dataset(n), size, shuffle, seed, drop)
    batches = list(loader)
    assert len(batches) == len(loader) == (n // size if drop else -(-n // size))
    seen = [i for x, _ in batches for i in x._data.tolist()]
    assert len(set(seen)) == len(seen) == (n // size * size if drop else n)
    assert seen == list(range(len(seen))) or shuffle
    assert all(len(x) == size for x, _ in batches[:-1])
    for x, y in batches:
        np.testing.assert_array_equal(y._data, np.stack([2.0 * x._data, 2.0 * x._data + 1], 1))


@both_devices
def test_epochs_differ_and_repeat_by_seed(device):
    def epochs(seed, count=3):
        loader = data.DataLoader(dataset(50, device), 8, shuffle=True, seed=seed)
        return [numbers(loader) for _ in range(count)]

    first = epochs(1)
    assert first == epochs(1) and first != epochs(2)
    assert first[0] != first[1] != first[2]
    assert epochs(1, 1)[0] == first[0]


def test_every_device_gives_the_same_order():
    before, orders = tg.devices.get().name, []
    try:
        for device in ("numpy", "cpu"):
            tg.set_default_device(device)
            orders.append(numbers(data.DataLoader(dataset(30), 4, True, 7)))
    finally:
        tg.set_default_device(before)
    assert orders[0] == orders[1]


def test_shuffling_is_uniform():
    loader = data.DataLoader(dataset(4), 4, shuffle=True, seed=0)
    counts = np.zeros((4, 4))
    for _ in range(2000):
        counts[np.arange(4), numbers(loader)[0]] += 1
    assert abs(counts - 500).max() < 100


def test_manual_seed_decides_where_no_seed_is_given():
    def order(seed):
        tg.manual_seed(seed)
        return numbers(data.DataLoader(dataset(20), 5, shuffle=True))

    assert order(1) == order(1) != order(2)
    pair = [numbers(data.DataLoader(dataset(20), 5, True, tg.Generator(3))) for _ in range(2)]
    assert pair[0] == pair[1]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 3), st.integers(0, 5), st.booleans())
def test_resume_in_the_middle(epochs, batches, shuffle):
    def loader(seed):
        return data.DataLoader(dataset(22), 4, shuffle, seed)

    first = loader(5)
    for _ in range(epochs):
        list(first)
    walk = iter(first)
    for _ in range(batches):
        next(walk)
    state = first.state_dict()
    rest = [b[0]._data.tolist() for b in walk], numbers(first)
    second = loader(99)
    second.load_state_dict(state)
    assert (numbers(second), numbers(second)) == rest
    third = loader(1)
    third.load_state_dict(state)
    assert third.state_dict() == state


def test_a_pass_that_was_left_early_starts_anew():
    loader, whole = (data.DataLoader(dataset(20), 5, True, 3) for _ in range(2))
    for _ in loader:
        break
    expected = [numbers(whole) for _ in range(2)]
    assert numbers(loader) == expected[1]


def test_two_passes_at_once():
    loader = data.DataLoader(dataset(9), 3)
    assert [(a[0]._data.tolist(), b[0]._data.tolist()) for a, b in zip(loader, loader, strict=True)] == [
        (b, b) for b in numbers(data.DataLoader(dataset(9), 3))
    ]


@both_devices
def test_batches_are_copies(device):
    source = dataset(6, device)
    x, _ = next(iter(data.DataLoader(source, 3)))
    x._data[:] = 99
    assert source.tensors[0]._data.tolist() == list(range(6)) and x.device == device


def test_any_sequence_and_collate():
    samples = [{"x": np.full(2, i), "y": float(i), "name": str(i)} for i in range(5)]
    first = next(iter(data.DataLoader(samples, 2)))
    np.testing.assert_array_equal(first["x"]._data, [[0, 0], [1, 1]])
    assert first["y"].dtype == np.float32 and first["name"] == ["0", "1"]
    pairs = next(iter(data.DataLoader([(tensor([1.0]), 1), (tensor([2.0]), 2)], 2)))
    assert pairs[0].shape == (2, 1) and pairs[1].dtype == np.int64
    assert list(data.DataLoader([3, 1, 2], 2, collate_fn=sorted)) == [[1, 3], [2]]
    with pytest.raises(ValueError, match="different shapes"):
        list(data.DataLoader([np.zeros(2), np.zeros(3)], 2))


def test_subset_and_split():
    source = dataset(10)
    part = data.Subset(source, [7, -1, 3])
    assert len(part) == 3 and part[0][0].item() == 7 and numbers(data.DataLoader(part, 2)) == [[7, 9], [3]]
    nested = data.Subset(part, [2, 0])
    assert numbers(data.DataLoader(nested, 5)) == [[3, 7]]
    plain = data.Subset(list("abcd"), [3, 0])
    assert list(data.DataLoader(plain, 2)) == [["d", "a"]]
    a, b = data.random_split(source, [7, 3], seed=1)
    assert sorted([*a.indices, *b.indices]) == list(range(10))
    again = data.random_split(source, [7, 3], seed=1)
    np.testing.assert_array_equal(a.indices, again[0].indices)
    assert a.indices.tolist() != data.random_split(source, [7, 3], seed=2)[0].indices.tolist()
    assert [len(p) for p in data.random_split(source, [0.5, 0.25, 0.25])] == [6, 2, 2]
    assert [len(p) for p in data.random_split(source, [1.0, 0.0])] == [10, 0]


def test_errors():
    with pytest.raises(ValueError, match="batch_size must be a positive integer"):
        data.DataLoader([1], 0)
    for seed in (-1, 1.5, 2**64):
        with pytest.raises(ValueError, match="seed must be"):
            data.DataLoader([1], seed=seed)
    with pytest.raises(ValueError, match=r"one size, got shapes \(2,\), \(3,\)"):
        data.TensorDataset(np.zeros(2), np.zeros(3))
    for bad in ((), (np.float32(1),)):
        with pytest.raises(ValueError, match="at least one tensor"):
            data.TensorDataset(*bad)
    with pytest.raises(IndexError, match="out of range for 3 samples"):
        dataset(3)[3]
    with pytest.raises(IndexError, match="out of range"):
        data.Subset(dataset(3), [3])
    with pytest.raises(TypeError, match="list of integers"):
        data.Subset(dataset(3), [0.5])
    for lengths in ([5, 4], [0.5, 0.4], [11, -1]):
        with pytest.raises(ValueError, match="random_split: lengths must"):
            data.random_split(dataset(10), lengths)
    loader = data.DataLoader(dataset(10), 5)
    with pytest.raises(ValueError, match="batch 3 is beyond the 2"):
        loader.load_state_dict({"seed": 0, "epoch": 0, "batch": 3})
    with pytest.raises(ValueError, match="expected 'seed'"):
        loader.load_state_dict({"epoch": 1})
    with pytest.raises(NotImplementedError, match="__getitem__"):
        data.Dataset()[0]


def test_dataset_of_ones_own():
    class Squares(data.Dataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return index, index**2

    assert [y._data.tolist() for _, y in data.DataLoader(Squares(), 3)] == [[0, 1, 4], [9, 16]]
