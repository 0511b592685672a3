# ruff: noqa: F401
"""The functions behind the modules: they hold no parameters."""

from .activation import (
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    logsigmoid,
    relu,
    selu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from .cross_entropy import cross_entropy, nll_loss
from .dropout import dropout
from .linear import linear
from .loss import binary_cross_entropy, binary_cross_entropy_with_logits, huber_loss, l1_loss, mse_loss
from .softmax import log_softmax, softmax
