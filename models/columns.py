"""The one loop of the autoregressive kernel that costs: a small matrix times one column, for the vector unit.

The sums of up to 64 rows stay in registers while the inputs go by; weights are read once, in order. As in
`models/tile.py` the code is LLVM's, so it becomes AVX-512, AVX2, SSE or NEON as the machine has it.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES = 16
MOST = 4
"""Vectors of LANES rows in a tile."""
AT_ONCE = 4
"""Inputs that a narrow tile takes side by side, in sums of their own, to hide a multiply-add's latency."""


def pack_columns(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(out, in) -> (tiles, in, rows of a tile), the order in which the loop reads them.

    Inputs are made a multiple of AT_ONCE by columns of zeros.
    """
    weights = np.pad(weights, ((0, 0), (0, -weights.shape[1] % AT_ONCE)))
    rows, inputs = weights.shape
    if rows % LANES:
        raise ValueError(f"{rows} rows are not a multiple of {LANES}")
    width = next(LANES * count for count in range(MOST, 0, -1) if rows % (LANES * count) == 0)
    tiles = weights.reshape(rows // width, width, inputs).transpose(0, 2, 1)
    return np.ascontiguousarray(tiles, np.float32)


def _loop(vectors: int) -> Any:
    """The loop over the inputs for a tile of `vectors` * LANES rows."""
    at_once = AT_ONCE if vectors <= MOST // 2 else AT_ONCE // 2

    @intrinsic
    def add_tile(typing_context, weights, column, out, inputs):
        """out[r] += sum_i weights[i, r] * column[i]; addresses are in bytes."""
        signature = types.void(types.intp, types.intp, types.intp, types.intp)

        def generate(context, builder, signature, arguments):
            weights, column, out, inputs = arguments
            word, single = weights.type, ir.FloatType()
            vector = ir.VectorType(single, LANES)
            name = f"llvm.fma.v{LANES}f32"
            fma = builder.module.globals.get(name) or ir.Function(
                builder.module, ir.FunctionType(vector, [vector] * 3), name
            )

            def at(address: ir.Value, number: int) -> ir.Value:
                offset = builder.add(address, word(4 * LANES * number))
                return builder.inttoptr(offset, vector.as_pointer())

            zero = ir.Constant(vector, [0.0] * LANES)
            sums = [builder.load(at(out, number), align=4) for number in range(vectors)]
            sums += [zero] * (vectors * (at_once - 1))
            before = builder.block
            body, after = builder.append_basic_block("inputs"), builder.append_basic_block("store")
            builder.branch(body)
            builder.position_at_end(body)
            count, at_weight, at_column = (builder.phi(word) for _ in range(3))
            running = [builder.phi(vector) for _ in range(vectors * at_once)]
            mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            done = []
            for ahead in range(at_once):
                address = builder.add(at_column, word(4 * ahead))
                scalar = builder.load(builder.inttoptr(address, single.as_pointer()), align=4)
                lane = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
                spread = builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), mask)
                for number in range(ahead * vectors, (ahead + 1) * vectors):
                    weight = builder.load(at(at_weight, number), align=4)
                    done.append(builder.call(fma, [weight, spread, running[number]]))
            fewer = builder.sub(count, word(at_once))
            steps = (count, inputs, fewer), (at_column, column, builder.add(at_column, word(4 * at_once)))
            steps += ((at_weight, weights, builder.add(at_weight, word(4 * LANES * vectors * at_once))),)
            for phi, first, then in (*steps, *zip(running, sums, done, strict=True)):
                phi.add_incoming(first, before)
                phi.add_incoming(then, body)
            builder.cbranch(builder.icmp_signed(">", fewer, word(0)), body, after)
            builder.position_at_end(after)
            for number in range(vectors):
                total = done[number]
                for other in done[number + vectors :: vectors]:
                    total = builder.fadd(total, other)
                builder.store(total, at(out, number), align=4)
            return context.get_dummy_value()

        return signature, generate

    return add_tile


_one, _two, _three, _four = (_loop(count) for count in range(1, MOST + 1))


@njit(nogil=True)
def add_columns(packed, column, out):
    """Add weights @ column to out. packed: as `pack_columns` has it; column: (in,), out: (rows,), both contiguous."""
    tiles, inputs, width = packed.shape
    weights, heard, result = packed.ctypes.data, column.ctypes.data, out.ctypes.data
    for tile in range(tiles):
        first = weights + tile * packed.strides[0]
        to = result + 4 * tile * width
        if width == 64:
            _four(first, heard, to, inputs)
        elif width == 48:
            _three(first, heard, to, inputs)
        elif width == 32:
            _two(first, heard, to, inputs)
        else:
            _one(first, heard, to, inputs)


@intrinsic
def _as_float(typing_context, bits):
    """The float32 whose bits an int32 holds."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(nogil=True, fastmath=True, inline="always")
def exponential(x):
    """exp(x) for x in -87 .. 0 to a few units in the last place (Cephes' polynomial), free of branches."""
    turns = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    x = x - turns * np.float32(0.693359375) + turns * np.float32(2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * x + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    y = y * x * x + x + np.float32(1)
    return y * _as_float((np.int32(turns) + np.int32(127)) << np.int32(23))
