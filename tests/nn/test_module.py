import copy
import pickle

import numpy as np
import pytest
from nn_checks import both_devices, tensor

import tinygrad_lite as tg
from tinygrad_lite import nn


def mlp():
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2, bias=False))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp()
        self.scale = nn.Parameter(2.0)
        self.register_buffer("mean", tensor(np.zeros(2, np.float32)))
        self.register_buffer("cache", tensor([1.0]), persistent=False)

    def forward(self, x):
        return self.body(x) * self.scale - self.mean


def test_text():
    assert repr(mlp()) == (
        "Sequential(\n"
        "  (0): Linear(in_features=4, out_features=3, bias=True)  # 15\n"
        "  (1): ReLU()\n"
        "  (2): Dropout(p=0.5)\n"
        "  (3): Linear(in_features=3, out_features=2, bias=False)  # 6\n"
        ")  # 21 parameters"
    )
    text = repr(Net())
    assert "    (3): Linear(in_features=3, out_features=2, bias=False)  # 6\n  )  # 21\n)  # 22 parameters" in text
    assert repr(nn.Linear(1000, 1000)).endswith("# 1,001,000 parameters")


def test_names():
    net = Net()
    names = ["scale", "body.0.weight", "body.0.bias", "body.3.weight"]
    assert [n for n, _ in net.named_parameters()] == names
    assert [n for n, _ in net.named_parameters("net")] == [f"net.{n}" for n in names]
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in net.named_buffers()] == ["mean", "cache"]
    assert [n for n, _ in net.named_modules()] == ["", "body", "body.0", "body.1", "body.2", "body.3"]
    assert [n for n, _ in net.named_children()] == ["body"] and list(net.children()) == [net.body]
    assert list(net.state_dict()) == ["scale", "mean", "body.0.weight", "body.0.bias", "body.3.weight"]
    assert sum(p.size for p in net.parameters()) == 22


def test_a_shared_parameter_counts_once():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert sum(p.size for p in net.parameters()) == 15 and repr(net).endswith("# 15 parameters")
    assert len(net.state_dict()) == 4
    twice = nn.ModuleList([net[0], net[0]])
    assert sum(p.size for p in twice.parameters()) == 12
    nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)).load_state_dict(net.state_dict())


def test_works_without_calling_the_base_constructor():
    class Forgetful(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter([1.0])
            self.inner = nn.Linear(2, 2)
            self.register_buffer("b", tensor([1.0]))

    assert len(list(Forgetful().parameters())) == 3 and list(nn.Module().named_buffers()) == []
    assert Forgetful().eval().training is False


def test_attribute_errors():
    net = Net()
    with pytest.raises(TypeError, match=r"Net.scale is a parameter and cannot become a plain tensor"):
        net.scale = tensor(1.0)
    net.scale = nn.Parameter(3.0)
    net.scale = None
    assert "scale" not in net.state_dict()
    del net.body
    assert not list(net.parameters())
    with pytest.raises(NotImplementedError, match="Module needs a method forward"):
        nn.Module()(1)
    with pytest.raises(TypeError, match="'x' must be a tensor"):
        net.register_buffer("x", [1.0])
    with pytest.raises(TypeError, match=r"must be an nn\.Parameter"):
        net.register_parameter("x", tensor([1.0]))
    with pytest.raises(TypeError, match=r"must be an nn\.Module"):
        net.add_module("x", nn.ReLU)
    for name in ("", "a.b", "forward"):
        with pytest.raises(ValueError, match="cannot be a name here"):
            net.register_buffer(name, tensor([1.0]))


def test_train_and_eval_reach_everything():
    net = Net()
    assert net.training and net.eval() is net
    assert not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())


def test_apply_goes_from_inner_to_outer():
    seen = []
    net = Net()
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Dropout", "Linear", "Sequential", "Net"]


def test_freezing_and_forgetting_gradients():
    net = Net().requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_()
    net(tensor(np.ones((5, 4), np.float32))).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all((p.grad._data == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


@both_devices
def test_state_round_trip(device):
    first, second = Net().to(device), Net().to(device)
    second.mean._data[:] = 7
    x = tensor(np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32), device)
    assert not np.allclose(first.eval()(x)._data, second.eval()(x)._data)
    held = list(second.parameters())
    result = second.load_state_dict(first.state_dict())
    assert result.missing_keys == result.unexpected_keys == []
    np.testing.assert_array_equal(first(x)._data, second(x)._data)
    assert all(a is b for a, b in zip(held, second.parameters(), strict=True))
    assert all(a._data is not b._data for a, b in zip(first.parameters(), second.parameters(), strict=True))
    second.load_state_dict({n: t._data.astype(np.float64) for n, t in first.state_dict().items()})
    assert second.scale.dtype == np.float32


def test_state_shares_memory_and_has_no_history():
    net = Net()
    state = net.state_dict()
    assert state["body.0.weight"]._data is net.body[0].weight._data
    assert not any(t.requires_grad for t in state.values())


def test_loading_tells_everything_that_is_wrong_and_changes_nothing():
    net = Net()
    before = {n: t._data.copy() for n, t in net.state_dict().items()}
    values = dict(net.state_dict())
    values["body.0.weight"] = tensor(np.ones((3, 5)))
    values["scale"] = tensor(9.0)
    values["extra"] = values.pop("body.3.weight")
    with pytest.raises(ValueError) as error:
        net.load_state_dict(values)
    text = str(error.value)
    assert "missing: body.3.weight" in text and "unexpected: extra" in text
    assert "body.0.weight: (3, 5) given, (3, 4) needed" in text
    for name, t in net.state_dict().items():
        np.testing.assert_array_equal(t._data, before[name])
    with pytest.raises(ValueError, match="wrong shape"):
        net.load_state_dict(values, strict=False)
    del values["body.0.weight"]
    result = net.load_state_dict(values, strict=False)
    assert result.missing_keys == ["body.0.weight", "body.3.weight"] and result.unexpected_keys == ["extra"]
    assert net.scale.item() == 9.0
    with pytest.raises(TypeError, match="'scale' must be a tensor"):
        net.load_state_dict({"scale": "9"}, strict=False)
    with pytest.raises(TypeError, match="expected a dict"):
        net.load_state_dict([1])


def test_loading_between_forward_and_backward_is_found_out():
    net = nn.Linear(2, 2)
    x = tensor(np.ones((1, 2), np.float32), requires_grad=True)
    y = net(net(x))
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_moving_to_a_dtype_or_a_device():
    net = Net()
    net.register_buffer("count", tensor([1]))
    net.scale.grad = tensor(np.float32(1.0))
    parameters = list(net.parameters())
    assert net.to(tg.float64) is net
    assert all(p.dtype == np.float64 for p in net.parameters()) and net.mean.dtype == np.float64
    assert net.scale.grad.dtype == np.float64 and net.count.dtype == np.int64
    assert all(a is b for a, b in zip(parameters, net.parameters(), strict=True))
    net.to("numpy", "float32")
    assert {p.device for p in net.parameters()} == {"numpy"} and net.scale.dtype == np.float32
    assert {p.device for p in net.to(device="cpu").parameters()} == {"cpu"}
    with pytest.raises(TypeError, match="only be float32 or float64"):
        net.to(tg.int32)
    with pytest.raises(ValueError, match="not known"):
        net.to("gpu")


def test_copies_and_pickles():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(other) == repr(net)
        other.scale._data[...] = 5
        assert net.scale.item() == 2
        assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in other.parameters())


def test_parameter():
    p = nn.Parameter(tensor([1.0], "numpy"))
    assert p.requires_grad and p.is_leaf and p.device == "numpy" and type(p * 1) is tg.Tensor
    assert repr(nn.Parameter([1.0])) == "Parameter([1.], requires_grad=True)"
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    with pytest.raises(TypeError, match="only float32 and float64"):
        nn.Parameter([1])
    data = np.ones(2, np.float32)
    nn.Parameter(data)._data[0] = 5
    assert data[0] == 1


def test_sequential():
    net = mlp()
    assert len(net) == 4 and net[0] is next(iter(net)) and net[-1] is net[3]
    assert [type(m) for m in net[1:3]] == [nn.ReLU, nn.Dropout] and isinstance(net[1:3], nn.Sequential)
    assert net.append(nn.Tanh()) is net and isinstance(net[4], nn.Tanh)
    net[1] = nn.Sigmoid()
    assert isinstance(list(net)[1], nn.Sigmoid) and [n for n, _ in net.named_children()] == list("01234")
    with pytest.raises(IndexError, match="index 5 is out of range for 5 modules"):
        net[5]
    with pytest.raises(TypeError, match="holds modules"):
        net.append(nn.functional.relu)
    named = nn.Sequential({"first": nn.Linear(4, 2), "then": nn.ReLU()})
    assert named.first is named[0] and next(iter(named.state_dict())) == "first.weight"
    x = tensor(np.ones((1, 4), np.float32))
    assert nn.Sequential()(x) is x


def test_module_list():
    class Stack(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))

    stack = Stack()
    assert len(list(stack.parameters())) == 6 and len(stack.layers[1:]) == 2
    stack.layers.extend([nn.Linear(2, 2)])
    assert "layers.3.bias" in stack.state_dict()
    with pytest.raises(NotImplementedError):
        stack.layers(1)


def test_a_module_inside_itself_ends():
    net = mlp()
    net[0].parent = net
    assert sum(p.size for p in net.parameters()) == 21


@both_devices
def test_flatten(device):
    x = tensor(np.arange(24.0).reshape(2, 3, 4), device, True)
    assert nn.Flatten()(x).shape == (2, 12) and nn.Flatten(0)(x).shape == (24,) and nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Flatten()(tensor(np.zeros((0, 3, 4)), device)).shape == (0, 12)
    assert nn.Flatten()(tensor(np.zeros((5, 0, 4)), device)).shape == (5, 0)
    nn.Flatten()(x).sum().backward()
    assert x.grad.shape == (2, 3, 4) and repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    with pytest.raises(ValueError, match="out of range"):
        nn.Flatten()(tensor([1.0]))
    with pytest.raises(ValueError, match="comes before"):
        nn.Flatten(2, 1)(x)
