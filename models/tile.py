"""The one loop that costs: a small matrix times a block of sound, written for the vector unit.

Numba's own loops keep sums in memory; here sixteen steps of four rows stay in registers while the inputs go by.
The code is LLVM's, so it becomes AVX-512, AVX2, SSE or NEON as the machine has it.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

ROWS = 4
STEPS = 16
"""A tile of the result; blocks are whole numbers of tiles."""


def pack(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(out, in) -> (out / ROWS, in, ROWS), the order in which the loop reads them."""
    rows, inputs = weights.shape
    if rows % ROWS:
        raise ValueError(f"{rows} rows are not a multiple of {ROWS}")
    tiles = weights.reshape(rows // ROWS, ROWS, inputs).transpose(0, 2, 1)
    return np.ascontiguousarray(tiles, np.float32)


@intrinsic
def _add_tile(typing_context, weights, sound, sound_stride, out, out_stride, inputs):
    """out[r, s] += sum_i weights[i, r] * sound[i, s]; addresses and strides are in bytes."""
    signature = types.void(types.intp, types.intp, types.intp, types.intp, types.intp, types.intp)

    def generate(context, builder, signature, arguments):
        weights, sound, sound_stride, out, out_stride, inputs = arguments
        word, single = weights.type, ir.FloatType()
        vector = ir.VectorType(single, STEPS)
        name = f"llvm.fma.v{STEPS}f32"
        kind = ir.FunctionType(vector, [vector] * 3)
        fma = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)

        def pointer(address: ir.Value, kind: ir.Type) -> ir.Value:
            return builder.inttoptr(address, kind.as_pointer())

        def spread(scalar: ir.Value) -> ir.Value:
            lane = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), STEPS), [0] * STEPS)
            return builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), mask)

        rows = [builder.add(out, builder.mul(out_stride, word(row))) for row in range(ROWS)]
        sums = [builder.load(pointer(row, vector), align=4) for row in rows]
        before = builder.block
        body, after = builder.append_basic_block("inputs"), builder.append_basic_block("store")
        builder.branch(body)
        builder.position_at_end(body)
        count, at_weight, at_sound = (builder.phi(word) for _ in range(3))
        running = [builder.phi(vector) for _ in range(ROWS)]
        heard = builder.load(pointer(at_sound, vector), align=4)
        done = []
        for row, total in enumerate(running):
            weight = builder.load(pointer(builder.add(at_weight, word(4 * row)), single), align=4)
            done.append(builder.call(fma, [spread(weight), heard, total]))
        fewer = builder.sub(count, word(1))
        steps = (count, inputs, fewer), (at_weight, weights, builder.add(at_weight, word(4 * ROWS)))
        steps += ((at_sound, sound, builder.add(at_sound, sound_stride)),)
        for phi, first, then in (*steps, *zip(running, sums, done, strict=True)):
            phi.add_incoming(first, before)
            phi.add_incoming(then, body)
        builder.cbranch(builder.icmp_signed(">", fewer, word(0)), body, after)
        builder.position_at_end(after)
        for row, total in zip(rows, done, strict=True):
            builder.store(total, pointer(row, vector), align=4)
        return context.get_dummy_value()

    return signature, generate


@njit(nogil=True)
def add_product(packed, sound, at, out, out_at, length):
    """out[:, out_at : out_at + length] += weights @ sound[:, at : at + length].

    packed: (out / ROWS, in, ROWS), as `pack` has it; sound: (>= in, T); out: (>= out, T); length: a multiple of
    STEPS.  Rows of `sound` and `out` are contiguous.
    """
    tiles, inputs = packed.shape[0], packed.shape[1]
    weights, heard, result = packed.ctypes.data, sound.ctypes.data, out.ctypes.data
    for tile in range(tiles):
        tile_weights = weights + tile * packed.strides[0]
        tile_rows = result + tile * ROWS * out.strides[0]
        for step in range(0, length, STEPS):
            _add_tile(
                tile_weights,
                heard + 4 * (at + step),
                sound.strides[0],
                tile_rows + 4 * (out_at + step),
                out.strides[0],
                inputs,
            )
