"""The error function and its complement.

erfc(x) = exp(-x**2) R(x) for x >= 0, where R is a ratio of polynomials in float32, and in float64 P(u) / (1 + 2 x) with
u = (x - 4) / (x + 4). Near zero erf(x) = x + x P(x**2); further out float64 takes 1 - erfc(x), and float32
1 - exp(P(|x|)). The square is written x * x, as in derivatives: a kernel that needs both computes one exponential.
"""

from __future__ import annotations

from .math_exp import exp
from .math_words import FLOAT32, FLOAT64, Word, copysign, fma, polynomial, select

NEAR = {
    FLOAT32: (7.8077064e-05, -0.00079980167, 0.0051871724, -0.026853349, 0.11283579, -0.37612626, 0.12837917),
    FLOAT64: (
        5.94528203883096e-11, -1.1365678368644129e-09, 1.4657883161104157e-08, -1.635002573276368e-07,
        1.6460972866779373e-06, -1.4925593510100596e-05, 0.00012055331037038239, -0.0008548326978746167,
        0.005223977624780939, -0.026866170645072903, 0.11283791670954857, -0.3761263890318375, 0.1283791670955126,
    ),
}  # fmt: skip
FAR32 = (0.00019391146, -0.00302325, 0.022146935, -0.103764825, -0.63737327, -1.1275616, -0.00022343737)
RATIO32 = (
    (0.06032332, 0.4198846, 1.3361453, 2.25607, 1.8158536),
    (0.106919155, 0.7442705, 2.4209752, 4.3779936, 4.3050423, 1.8158536),
)
RATIO64 = (
    1.188906593746976e-09, 1.645191886088833e-09, -1.4084381843374314e-08, -1.7399933734150523e-08,
    1.1040850377439835e-07, 7.405181782016362e-08, -8.260673827180118e-07, 2.9417201646124147e-07,
    5.710265225030322e-06, -1.1222173433303797e-05, -2.4399469528153158e-05, 0.0001506217161699525,
    -0.00019925661884461586, -0.0007577732969503159, 0.005031969963883923, -0.016197734056594335, 0.03716751553906549,
    -0.06633036581232482, 0.09373283499825211, -0.10103906603629931, 0.06809705425469541, 0.01537965210261965,
    -0.13962111684056253, 1.2329951186255526,
)  # fmt: skip
BEYOND = {FLOAT32: 10.5, FLOAT64: 28.0}  # there erfc is 0


def erfc_of_size(x: Word) -> Word:
    """erfc(abs(x))."""
    size = abs(x)
    size = select(size > BEYOND[x.dtype], BEYOND[x.dtype], size)
    square = size * size
    ratio = ratio32(size, square) if x.dtype == FLOAT32 else ratio64(size)
    result = exp(-(x * x)) * ratio
    return fma(result, -fma(size, size, -square), result)  # what rounding the square has lost


def ratio32(x: Word, square: Word) -> Word:
    """exp(x**2) erfc(x)."""
    return polynomial(x, RATIO32[0], square) / polynomial(x, RATIO32[1], square)


def ratio64(x: Word) -> Word:
    """exp(x**2) erfc(x)."""
    return polynomial((x - 4.0) / (x + 4.0), RATIO64) / fma(x, 2.0, 1.0)


def erfc(x: Word) -> Word:
    result = erfc_of_size(x)
    return select(x < 0, 2 - result, result)


def erf(x: Word) -> Word:
    size = abs(x)
    near = fma(x, polynomial(x * x, NEAR[x.dtype]), x)
    single = x.dtype == FLOAT32
    far = 1 - (exp(polynomial(select(size > 4.0, 4.0, size), FAR32)) if single else erfc_of_size(x))
    return select(size < 1, near, copysign(far, x))
