"""The autoregressive kernel's products: a small matrix times one column, for the vector unit.

The sums of up to 64 rows stay in registers while the inputs go by; weights are read once, in order.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from models.vector_code import LANES, WIDE, VectorCode

MOST = 4
"""Vectors of LANES rows in a tile."""
AT_ONCE = 4
"""Inputs that a tile takes side by side, in sums of their own, to hide a multiply-add's latency; where registers are
few, a wide tile takes half as many."""
_BYTES = 4 * LANES
"""Of a vector."""


def whole(count: int) -> int:
    """The next whole number of vectors, in rows."""
    return count + -count % LANES


def pack_columns(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(out, in) -> (tiles, in, rows of a tile), the order in which the loop reads them.

    Rows are made whole vectors, and inputs a multiple of AT_ONCE, by zeros.
    """
    rows, inputs = weights.shape
    weights = np.pad(weights, ((0, whole(rows) - rows), (0, -inputs % AT_ONCE)))
    width = next(LANES * count for count in range(MOST, 0, -1) if len(weights) % (LANES * count) == 0)
    tiles = weights.reshape(-1, width, weights.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(tiles, np.float32)


def pack_gates(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """A layer's (2 R, R, 2), filters then gates, earlier then now -> (R / LANES, R, 2 taps, 2 kinds, LANES)."""
    residual = weights.shape[1]
    if residual % LANES:
        raise ValueError(f"{residual} channels are not a multiple of {LANES}")
    tiles = weights.reshape(2, residual // LANES, LANES, residual, 2).transpose(1, 3, 4, 0, 2)
    return np.ascontiguousarray(tiles, np.float32)


def _product(vectors: int, onto: bool) -> Any:
    """The loop over the inputs for a tile of `vectors` * LANES rows, added to what there is or not."""
    at_once = AT_ONCE if WIDE or vectors <= MOST // 2 else AT_ONCE // 2

    @intrinsic
    def product(typing_context, weights, column, bias, out, inputs):
        """out[r] (+)= bias[r] + sum_i weights[i, r] * column[i]."""

        def generate(context, builder, signature, arguments):
            weights, column, bias, out, inputs = arguments
            code = VectorCode(builder)
            starts = [code.load(bias, number) for number in range(vectors)]
            if onto:
                starts = [builder.fadd(start, code.load(out, number)) for number, start in enumerate(starts)]
            starts += [code.constant(0.0)] * (vectors * (at_once - 1))

            def body(weights, column, sums):
                heard = [code.spread(column, ahead) for ahead in range(at_once)]
                read = [code.load(weights, number) for number in range(vectors * at_once)]
                return [
                    code.fma(weight, heard[number // vectors], sums[number])
                    for number, weight in enumerate(read)
                ]

            times = builder.udiv(inputs, inputs.type(at_once))
            strides = (weights, _BYTES * vectors * at_once), (column, 4 * at_once)
            sums = code.loop(times, strides, starts, body)
            for number in range(vectors):
                code.store(code.total(sums[number::vectors]), out, number)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 5), generate

    return product


_ones, _onto = ([_product(count, onto) for count in range(1, MOST + 1)] for onto in (False, True))
_one, _two, _three, _four = _ones
_onto_one, _onto_two, _onto_three, _onto_four = _onto


@njit(nogil=True)
def multiply(weights, column, bias, out, rows, inputs, onto):
    """Out = bias + weights @ column, or as much added to it. All but rows, inputs, onto are addresses."""
    if rows % 64 == 0:
        for _ in range(rows // 64):
            if onto:
                _onto_four(weights, column, bias, out, inputs)
            else:
                _four(weights, column, bias, out, inputs)
            weights, bias, out = weights + 4 * _BYTES * inputs, bias + 256, out + 256
    elif rows % 48 == 0:
        for _ in range(rows // 48):
            if onto:
                _onto_three(weights, column, bias, out, inputs)
            else:
                _three(weights, column, bias, out, inputs)
            weights, bias, out = weights + 3 * _BYTES * inputs, bias + 192, out + 192
    elif rows % 32 == 0:
        for _ in range(rows // 32):
            if onto:
                _onto_two(weights, column, bias, out, inputs)
            else:
                _two(weights, column, bias, out, inputs)
            weights, bias, out = weights + 2 * _BYTES * inputs, bias + 128, out + 128
    else:
        for _ in range(rows // 16):
            if onto:
                _onto_one(weights, column, bias, out, inputs)
            else:
                _one(weights, column, bias, out, inputs)
            weights, bias, out = weights + _BYTES * inputs, bias + 64, out + 64


@intrinsic
def _gates(typing_context, weights, earlier, now, told, told_gate, out, inputs):
    """LANES channels of a gated activation unit: tanh(told + filters @ x) * sigmoid(told_gate + gates @ x)."""

    def generate(context, builder, signature, arguments):
        weights, earlier, now, told, told_gate, out, inputs = arguments
        code, at_once = VectorCode(builder), AT_ONCE if WIDE else AT_ONCE // 2
        starts = [code.load(told), code.load(told_gate)] + [code.constant(0.0)] * (4 * at_once - 2)

        def body(weights, earlier, now, sums):
            heard = [code.spread(tap, ahead) for ahead in range(at_once) for tap in (earlier, now)]
            read = [code.load(weights, number) for number in range(4 * at_once)]
            return [code.fma(weight, heard[number // 2], sums[number]) for number, weight in enumerate(read)]

        times = builder.udiv(inputs, inputs.type(at_once))
        strides = (weights, _BYTES * 4 * at_once), (earlier, 4 * at_once), (now, 4 * at_once)
        sums = code.loop(times, strides, starts, body)
        code.store(code.gated(code.total(sums[0::2]), code.total(sums[1::2])), out)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7), generate


@intrinsic
def _copy(typing_context, start, out):
    """LANES floats."""

    def generate(context, builder, signature, arguments):
        code = VectorCode(builder)
        code.store(code.load(arguments[0]), arguments[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@njit(nogil=True)
def gate(weights, earlier, now, told, out, residual):
    """A layer's gated activations into `out`; then `now` takes the place of `earlier`. Addresses but the last."""
    for tile in range(0, 4 * residual, 64):
        _gates(weights, earlier, now, told + tile, told + tile + 4 * residual, out + tile, residual)
        weights += 4 * _BYTES * residual
    for tile in range(0, 4 * residual, 64):
        _copy(now + tile, earlier + tile)


@intrinsic
def weigh(typing_context, logits, values, odds, lanes, vectors, colder, tail):
    """Write odds against the likeliest, exp((logit - top) * colder) or 0 under `tail`, and each lane's sum.

    After the lanes' sums comes the mean of `values` by these odds.  Returns the sum of all odds.
    """

    def generate(context, builder, signature, arguments):
        logits, values, odds, lanes, vectors, colder, tail = arguments
        code = VectorCode(builder)
        here = (logits, 4 * LANES)
        top = code.loop(
            vectors, [here], [code.constant(-1e30)], lambda at, tops: [code.larger(code.load(at), tops[0])]
        )
        top, colder, tail = code.largest(top[0]), code.spread_value(colder), code.spread_value(tail)

        def body(logit, value, odds, sums):
            less = builder.fmul(builder.fsub(code.load(logit), top), colder)
            each = code.exponential(code.larger(less, code.constant(-80)))
            each = builder.select(builder.fcmp_ordered("<", each, tail), code.constant(0), each)
            code.store(each, odds)
            return [builder.fadd(sums[0], each), code.fma(each, code.load(value), sums[1])]

        rows = [here, (values, 4 * LANES), (odds, 4 * LANES)]
        sums = code.loop(vectors, rows, [code.constant(0)] * 2, body)
        code.store(sums[0], lanes)
        total = code.across(sums[0])
        code.store(code.spread_value(builder.fdiv(code.across(sums[1]), total)), lanes, 1)
        return total

    return types.float32(*[types.intp] * 5, types.float32, types.float32), generate


def level_order(levels: int) -> NDArray[np.int64]:
    """Which level lies at each place of the logits: vector v has level lane * vectors + v in each lane."""
    return np.arange(levels).reshape(LANES, -1).T.ravel()
