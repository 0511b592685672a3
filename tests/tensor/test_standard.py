"""Every function and method of the array API standard 2024.12 is there, with its signature."""

import inspect

import numpy as np
import pytest

import tinygrad_lite as tg

UNARY = """
abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag isfinite isinf isnan log
log10 log1p log2 logical_not negative positive real reciprocal round sign signbit sin sinh sqrt square tan tanh trunc
"""
BINARY = """
add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal floor_divide
greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum minimum multiply
nextafter not_equal pow remainder subtract
"""
NEW = "dtype=None, device=None"
OVER = "axis=None, keepdims=False"
OTHERS = f"""
arange(start, /, stop=None, step=1, *, {NEW})
asarray(obj, /, *, {NEW}, copy=None)
empty(shape, *, {NEW})
empty_like(x, /, *, {NEW})
eye(n_rows, n_cols=None, /, *, k=0, {NEW})
from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, {NEW})
full_like(x, /, fill_value, *, {NEW})
linspace(start, stop, /, num, *, {NEW}, endpoint=True)
meshgrid(*arrays, indexing="xy")
ones(shape, *, {NEW})
ones_like(x, /, *, {NEW})
tril(x, /, *, k=0)
triu(x, /, *, k=0)
zeros(shape, *, {NEW})
zeros_like(x, /, *, {NEW})
astype(x, dtype, /, *, copy=True, device=None)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
result_type(*arrays_and_dtypes)
clip(x, /, min=None, max=None)
where(condition, x1, x2, /)
take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1)
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes=2)
vecdot(x1, x2, /, *, axis=-1)
broadcast_arrays(*arrays)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis=0)
expand_dims(x, /, *, axis=0)
flip(x, /, *, axis=None)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None)
roll(x, /, shift, *, axis=None)
squeeze(x, /, axis)
stack(arrays, /, *, axis=0)
tile(x, repetitions, /)
unstack(x, /, *, axis=0)
argmax(x, /, *, {OVER})
argmin(x, /, *, {OVER})
count_nonzero(x, /, *, {OVER})
nonzero(x, /)
searchsorted(x1, x2, /, *, side="left", sorter=None)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
argsort(x, /, *, axis=-1, descending=False, stable=True)
sort(x, /, *, axis=-1, descending=False, stable=True)
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
max(x, /, *, {OVER})
mean(x, /, *, {OVER})
min(x, /, *, {OVER})
prod(x, /, *, {OVER}, dtype=None)
std(x, /, *, {OVER}, correction=0.0)
sum(x, /, *, {OVER}, dtype=None)
var(x, /, *, {OVER}, correction=0.0)
all(x, /, *, {OVER})
any(x, /, *, {OVER})
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
__array_namespace_info__()
"""
STANDARD = [f"{name}(x, /)" for name in UNARY.split()] + [f"{name}(x1, x2, /)" for name in BINARY.split()]
STANDARD += OTHERS.strip().splitlines()
METHODS = [
    "__array_namespace__(self, /, *, api_version=None)", "to_device(self, device, /, *, stream=None)",
    "__dlpack__(self, /, *, stream=None, max_version=None, dl_device=None, copy=None)", "__dlpack_device__(self, /)",
    *(f"__{name}__(self, /)" for name in "abs bool complex float index int invert neg pos".split()),
    *(f"__{kind}{name}__(self, other, /)" for kind in ("", "i", "r")
      for name in "add and floordiv lshift matmul mod mul or pow rshift sub truediv xor".split()),
    *(f"__{name}__(self, other, /)" for name in "eq ge gt le lt ne".split()),
    "__getitem__(self, key, /)", "__setitem__(self, key, value, /)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("home", "signature"), [(tg, s) for s in STANDARD] + [(tg.Tensor, s) for s in METHODS], ids=lambda s: str(s)[:40]
)
def test_the_standards_signatures(home, signature):
    """Arguments by position stand at the same places; those by name have the same names and defaults."""
    name, _, rest = signature.partition("(")
    function = getattr(home, name)
    wanted = inspect.signature(eval(f"lambda {rest[:-1]}: 0")).parameters.values()
    ours = inspect.signature(function).parameters
    for place, parameter in enumerate(wanted):
        if parameter.kind == parameter.POSITIONAL_ONLY:
            found = list(ours.values())[place]
            assert found.kind in (found.POSITIONAL_ONLY, found.POSITIONAL_OR_KEYWORD)
        elif parameter.kind == parameter.VAR_POSITIONAL:
            assert list(ours.values())[place].kind == parameter.kind
        else:
            assert parameter.name in ours
            assert ours[parameter.name].kind != parameter.POSITIONAL_ONLY
        if parameter.default is not parameter.empty and parameter.kind != parameter.POSITIONAL_ONLY:
            assert ours[parameter.name].default == parameter.default
    assert home is tg.Tensor or function.__doc__


def test_constants():
    assert (tg.e, tg.pi, tg.inf, tg.newaxis) == (np.e, np.pi, np.inf, None) and np.isnan(tg.nan)
    assert tg.__array_api_version__ == "2024.12"
