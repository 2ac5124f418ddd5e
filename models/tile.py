"""The one loop that costs: a small matrix times a block of sound, written for the vector unit.

Numba's own loops keep sums in memory; here sixteen or thirty-two steps of four or eight rows stay in registers while
the inputs go by: as many as the machine has registers for.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from models.vector_code import LANES, WIDE, VectorCode

ROWS = 4
"""Rows that lie together in a packed matrix."""
STEPS = LANES
"""Blocks are whole numbers of these."""


def pack(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(out, in) -> (out / ROWS, in, ROWS), the order in which the loop reads them."""
    rows, inputs = weights.shape
    if rows % ROWS:
        raise ValueError(f"{rows} rows are not a multiple of {ROWS}")
    tiles = weights.reshape(rows // ROWS, ROWS, inputs).transpose(0, 2, 1)
    return np.ascontiguousarray(tiles, np.float32)


def _tile(groups: int, vectors: int) -> Any:
    """The loop over the inputs for a tile of groups * ROWS rows by vectors * STEPS steps."""
    rows = groups * ROWS

    @intrinsic
    def add_tile(typing_context, weights, further, sound, sound_stride, out, out_stride, inputs):
        """out[r, s] += sum_i weights[i, r] * sound[i, s]; in bytes. further: from a group to the next."""

        def generate(context, builder, signature, arguments):
            weights, further, sound, sound_stride, out, out_stride, inputs = arguments
            code = VectorCode(builder)
            starts = [builder.add(out, builder.mul(out_stride, out.type(row))) for row in range(rows)]

            def body(sound, sums, *weights):
                heard = [code.load(sound, vector) for vector in range(vectors)]
                read = [code.spread(weights[row // ROWS], row % ROWS) for row in range(rows)]
                return [
                    code.fma(read[number // vectors], heard[number % vectors], total)
                    for number, total in enumerate(sums)
                ]

            groups_of_weights = [
                builder.add(weights, builder.mul(further, out.type(group))) for group in range(groups)
            ]
            sums = code.loop(
                inputs,
                [(sound, sound_stride), *((group, 4 * ROWS) for group in groups_of_weights)],
                [code.load(start, vector) for start in starts for vector in range(vectors)],
                lambda sound, *rest: body(sound, rest[-1], *rest[:-1]),
            )
            for number, total in enumerate(sums):
                code.store(total, starts[number // vectors], number % vectors)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 7), generate

    return add_tile


_single, _broad, _tall, _large = _tile(1, 1), _tile(1, 2), _tile(2, 1), _tile(2, 2)


@njit(nogil=True)
def add_product(packed, sound, at, out, out_at, length):
    """out[:, out_at : out_at + length] += weights @ sound[:, at : at + length].

    packed: (out / ROWS, in, ROWS), as `pack` has it; sound: (>= in, T); out: (>= out, T); length: a multiple of
    STEPS.  Rows of `sound` and `out` are contiguous.
    """
    groups, inputs, further = packed.shape[0], packed.shape[1], packed.strides[0]
    weights, stride, out_stride = packed.ctypes.data, sound.strides[0], out.strides[0]
    result = out.ctypes.data + 4 * out_at
    group = 0
    while group < groups:
        tall = WIDE and group + 1 < groups
        heard, to, left = sound.ctypes.data + 4 * at, result, length
        while left > 0:
            broad = WIDE and left >= 2 * STEPS
            if tall and broad:
                _large(weights, further, heard, stride, to, out_stride, inputs)
            elif tall:
                _tall(weights, further, heard, stride, to, out_stride, inputs)
            elif broad:
                _broad(weights, further, heard, stride, to, out_stride, inputs)
            else:
                _single(weights, further, heard, stride, to, out_stride, inputs)
            moved = 2 * STEPS if broad else STEPS
            heard, to, left = heard + 4 * moved, to + 4 * moved, left - moved
        taken = 2 if tall else 1
        group += taken
        weights += taken * further
        result += taken * ROWS * out_stride


@intrinsic
def _open_gate(typing_context, filtered, gate, out):
    """STEPS steps of tanh(filtered) * sigmoid(gate)."""

    def generate(context, builder, signature, arguments):
        code = VectorCode(builder)
        code.store(code.gated(code.load(arguments[0]), code.load(arguments[1])), arguments[2])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), generate


@njit(nogil=True)
def open_gates(gates, gated, length):
    """Gated activation units (van den Oord et al. 2016, section 2.3): gates (2 R, T), filters first -> gated (R, T)."""
    rows = gated.shape[0]
    for row in range(rows):
        filtered = gates.ctypes.data + row * gates.strides[0]
        gate = filtered + rows * gates.strides[0]
        out = gated.ctypes.data + row * gated.strides[0]
        for _ in range(0, length, STEPS):
            _open_gate(filtered, gate, out)
            filtered, gate, out = filtered + 4 * STEPS, gate + 4 * STEPS, out + 4 * STEPS
