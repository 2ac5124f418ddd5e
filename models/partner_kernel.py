"""All layers of the partner's network for one step, compiled: what `Layer` does in torch, a few times faster.

A step is a chain of small products of a matrix and a vector; calling torch for each costs more than the
products themselves.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.partner import PartnerNet

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]
EPSILON = np.finfo(np.float32).eps


class Matrices(NamedTuple):
    """The layers' weights, layer first, rows as in torch: (L, out, in); the norms' are (L, W)."""

    norm_a: Floats
    qkv: Floats
    out: Floats
    norm_b: Floats
    up: Floats
    down: Floats


def matrices_of(net: PartnerNet) -> Matrices:
    """Collect a network's weights."""

    def stack(name: str) -> Floats:
        return np.stack([layer.get_parameter(f"{name}.weight").detach().numpy() for layer in net.layers])

    return Matrices(*(np.ascontiguousarray(stack(name), np.float32) for name in Matrices._fields))


@njit(cache=True, nogil=True, fastmath=True)
def _norm(x: Floats, weight: Floats) -> Any:
    total = np.float32(0)
    for i in range(len(x)):
        total += x[i] * x[i]
    return x * weight / np.sqrt(total / len(x) + EPSILON)


@njit(cache=True, nogil=True, fastmath=True)
def _multiply(matrix: Floats, x: Floats) -> Any:
    y = np.empty(len(matrix), np.float32)
    for i in range(len(matrix)):
        row = matrix[i]
        total = np.float32(0)
        for j in range(len(x)):
            total += row[j] * x[j]
        y[i] = total
    return y


@njit(cache=True, nogil=True, fastmath=True)
def _rotate(x: Floats, cos: Floats, sin: Floats) -> None:
    half = len(cos)
    for head in range(len(x)):
        for i in range(half):
            a, b = x[head, i], x[head, half + i]
            x[head, i] = a * cos[i] - b * sin[i]
            x[head, half + i] = a * sin[i] + b * cos[i]


@njit(cache=True, nogil=True, fastmath=True)
def _attend(query: Floats, keys: Floats, values: Floats) -> Any:
    """query: (D,), keys and values: (T, D) -> (D,)."""
    scores = _multiply(keys, query) / np.float32(np.sqrt(len(query)))
    scores = np.exp(scores - scores.max())
    heard = np.zeros(len(query), np.float32)
    for t in range(len(scores)):
        for i in range(len(query)):
            heard[i] += scores[t] * values[t, i]
    return heard / scores.sum()


@njit(cache=True, nogil=True, fastmath=True)
def step_layers(
    x: Floats,
    matrices: Matrices,
    keys: Floats,
    values: Floats,
    windows: Counts,
    row: int,
    cos: Floats,
    sin: Floats,
) -> Any:
    """Take x through all layers; their keys and values are written into `row` of the cache.

    x: (W,), keys and values: (L, H, rows, D), windows: (L,) rows that each layer looks back on, this one
    included, cos and sin: (D / 2,) -> (W,).
    """
    layers, heads, _, size = keys.shape
    for layer in range(layers):
        qkv = _multiply(matrices.qkv[layer], _norm(x, matrices.norm_a[layer])).reshape(3, heads, size)
        _rotate(qkv[0], cos, sin)
        _rotate(qkv[1], cos, sin)
        heard = np.empty((heads, size), np.float32)
        first = max(0, row + 1 - windows[layer])
        for head in range(heads):
            keys[layer, head, row] = qkv[1, head]
            values[layer, head, row] = qkv[2, head]
            heard[head] = _attend(
                qkv[0, head], keys[layer, head, first : row + 1], values[layer, head, first : row + 1]
            )
        x = x + _multiply(matrices.out[layer], heard.reshape(heads * size))
        up = np.maximum(_multiply(matrices.up[layer], _norm(x, matrices.norm_b[layer])), np.float32(0))
        x = x + _multiply(matrices.down[layer], up * up)
    return x
