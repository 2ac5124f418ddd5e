"""Vector code written by hand, for LLVM: what numba's own loops leave in memory, kept in registers.

The vectors are of LANES floats; LLVM makes AVX-512, AVX2, SSE or NEON of them, as the machine has it. Addresses are
integers, in bytes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES = 16
WIDE = bool(binding.get_host_cpu_features().get("avx512f"))
"""Whether there are 32 registers of LANES floats, and not room for four."""

_SINGLE, _WORD = ir.FloatType(), ir.IntType(64)
_VECTOR, _BITS = ir.VectorType(_SINGLE, LANES), ir.VectorType(ir.IntType(32), LANES)

_EXPONENTIAL = (
    5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4
)  # fmt: skip
"""Cephes' polynomial of exp."""
_TANH_RANGE = 7.9053111
_TANH_ABOVE = (
    4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08, -8.60467152213735e-11,
    2.00018790482477e-13, -2.76076847742355e-16,
)  # fmt: skip
_TANH_BELOW = (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
"""The rational approximation that Eigen uses: a few units in the last place of float32."""


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that begins where a line of the cache does, as loads of whole vectors like it best."""
    line = 4 * LANES
    room = np.empty(array.nbytes + line, np.uint8)
    first = -room.ctypes.data % line
    copy = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class VectorCode:
    """A stretch of code being written."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """A * b + c."""
        module, name = self.builder.module, f"llvm.fma.v{LANES}f32"
        function = module.globals.get(name) or ir.Function(
            module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), name
        )
        return self.builder.call(function, [a, b, c])

    def constant(self, value: float) -> Any:
        """The same number in every lane."""
        return ir.Constant(_VECTOR, [float(np.float32(value))] * LANES)

    def moved(self, address: Any, bytes_on: int) -> Any:
        """An address some bytes further."""
        return self.builder.add(address, _WORD(bytes_on))

    def load(self, address: Any, number: int = 0) -> Any:
        """Vector `number` from an address on."""
        pointer = self.builder.inttoptr(self.moved(address, 4 * LANES * number), _VECTOR.as_pointer())
        return self.builder.load(pointer, align=4)

    def store(self, value: Any, address: Any, number: int = 0) -> None:
        """The inverse of `load`."""
        pointer = self.builder.inttoptr(self.moved(address, 4 * LANES * number), _VECTOR.as_pointer())
        self.builder.store(value, pointer, align=4)

    def spread(self, address: Any, number: int = 0) -> Any:
        """Float `number` from an address on, in every lane."""
        pointer = self.builder.inttoptr(self.moved(address, 4 * number), _SINGLE.as_pointer())
        return self.spread_value(self.builder.load(pointer, align=4))

    def spread_value(self, scalar: Any) -> Any:
        """A number in every lane."""
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        lane = self.builder.insert_element(nothing, scalar, ir.IntType(32)(0))
        return self.builder.shuffle_vector(lane, nothing, ir.Constant(_BITS, [0] * LANES))

    def larger(self, a: Any, b: Any) -> Any:
        """The larger of two, lane by lane."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def largest(self, x: Any) -> Any:
        """The largest of all lanes, in every lane."""
        width = LANES // 2
        while width:
            mask = [(lane + width) % LANES for lane in range(LANES)]
            x = self.larger(x, self.builder.shuffle_vector(x, x, ir.Constant(_BITS, mask)))
            width //= 2
        return x

    def exponential(self, x: Any) -> Any:
        """exp(x) for x in -87 .. 0 to a few units in the last place (Cephes' polynomial)."""
        builder, module, name = self.builder, self.builder.module, f"llvm.floor.v{LANES}f32"
        floor = module.globals.get(name) or ir.Function(module, ir.FunctionType(_VECTOR, [_VECTOR]), name)
        turns = builder.call(floor, [self.fma(x, self.constant(1.44269504), self.constant(0.5))])
        x = self.fma(turns, self.constant(-0.693359375), x)
        x = self.fma(turns, self.constant(2.12194440e-4), x)
        square = builder.fmul(x, x)
        y = self._polynomial([x, square, builder.fmul(square, square)], _EXPONENTIAL)
        y = self.fma(y, square, builder.fadd(x, self.constant(1)))
        bits = builder.add(builder.fptosi(turns, _BITS), ir.Constant(_BITS, [127] * LANES))
        scale = builder.bitcast(builder.shl(bits, ir.Constant(_BITS, [23] * LANES)), _VECTOR)
        return builder.fmul(y, scale)

    def loop(
        self,
        times: Any,
        addresses: Sequence[tuple[Any, Any]],
        sums: list[Any],
        body: Callable[..., list[Any]],
    ) -> list[Any]:
        """Sums = body(*addresses, sums), `times` times and once at least; each address moves on by its stride."""
        builder, before = self.builder, self.builder.block
        inside, after = builder.append_basic_block("inside"), builder.append_basic_block("after")
        builder.branch(inside)
        builder.position_at_end(inside)
        left, *moving = [builder.phi(_WORD) for _ in range(1 + len(addresses))]
        running = [builder.phi(_VECTOR) for _ in sums]
        done = body(*moving, running)
        fewer = builder.sub(left, _WORD(1))
        strides = [_WORD(stride) if isinstance(stride, int) else stride for _, stride in addresses]
        then = [fewer, *map(builder.add, moving, strides), *done]
        first = [times, *(address for address, _ in addresses), *sums]
        for phi, enters, goes_on in zip([left, *moving, *running], first, then, strict=True):
            phi.add_incoming(enters, before)
            phi.add_incoming(goes_on, inside)
        builder.cbranch(builder.icmp_signed(">", fewer, _WORD(0)), inside, after)
        builder.position_at_end(after)
        return done

    def total(self, parts: list[Any]) -> Any:
        """The sum of some vectors, in pairs."""
        if len(parts) == 1:
            return parts[0]
        half = len(parts) // 2
        return self.builder.fadd(self.total(parts[:half]), self.total(parts[half:]))

    def gated(self, filtered: Any, gate: Any) -> Any:
        """tanh(filtered) * sigmoid(gate), with one division for both."""
        builder = self.builder
        x = self._clamp(filtered)
        y = self._clamp(builder.fmul(gate, self.constant(0.5)))
        above_x, below_x = self._tanh(x)
        above_y, below_y = self._tanh(y)
        half = builder.fmul(builder.fadd(below_y, above_y), self.constant(0.5))
        return builder.fdiv(builder.fmul(above_x, half), builder.fmul(below_x, below_y))

    def _clamp(self, x: Any) -> Any:
        builder = self.builder
        high, low = self.constant(_TANH_RANGE), self.constant(-_TANH_RANGE)
        x = builder.select(builder.fcmp_ordered("<", x, high), x, high)
        return builder.select(builder.fcmp_ordered(">", x, low), x, low)

    def _tanh(self, x: Any) -> tuple[Any, Any]:
        """Numerator and denominator of tanh(x)."""
        square = self.builder.fmul(x, x)
        powers = [square, self.builder.fmul(square, square)]
        powers.append(self.builder.fmul(powers[1], powers[1]))
        above = self.builder.fmul(x, self._polynomial(powers, _TANH_ABOVE))
        return above, self._polynomial(powers, _TANH_BELOW)

    def _polynomial(self, powers: list[Any], coefficients: Sequence[float]) -> Any:
        """c0 + c1 x + c2 x^2 ..., in pairs, for a short chain. powers: x, x^2, x^4."""
        terms = [self.constant(coefficient) for coefficient in coefficients]
        for power in powers:
            pairs = [self.fma(high, power, low) for low, high in zip(terms[::2], terms[1::2], strict=False)]
            terms = pairs + terms[2 * len(pairs) :]
            if len(terms) == 1:
                break
        return terms[0]

    def across(self, x: Any) -> Any:
        """The sum of all lanes, a scalar."""
        width = LANES // 2
        while width:
            mask = [(lane + width) % LANES for lane in range(LANES)]
            x = self.builder.fadd(x, self.builder.shuffle_vector(x, x, ir.Constant(_BITS, mask)))
            width //= 2
        return self.builder.extract_element(x, ir.IntType(32)(0))


def _access(kind: Any, numba_kind: Any) -> Any:
    """An intrinsic that reads a number at an address."""

    @intrinsic
    def read(typing_context, address):
        """The number at an address."""

        def generate(context, builder, signature, arguments):
            return builder.load(builder.inttoptr(arguments[0], kind.as_pointer()))

        return numba_kind(types.intp), generate

    return read


read_float, read_whole = _access(_SINGLE, types.float32), _access(_WORD, types.int64)


@intrinsic
def write_float(typing_context, address, value):
    """Put a float32 to an address."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[1], builder.inttoptr(arguments[0], _SINGLE.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.intp, types.float32), generate


@intrinsic
def _rectify(typing_context, start, out):
    """LANES floats, 0 where they are negative."""

    def generate(context, builder, signature, arguments):
        code = VectorCode(builder)
        code.store(code.larger(code.load(arguments[0]), code.constant(0)), arguments[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic
def _clear(typing_context, out):
    """LANES zeros."""

    def generate(context, builder, signature, arguments):
        code = VectorCode(builder)
        code.store(code.constant(0), arguments[0])
        return context.get_dummy_value()

    return types.void(types.intp), generate


@njit(nogil=True)
def rectify(start, out, count):
    """`count` floats, whole vectors of them, from one address to another: 0 where they are negative."""
    for at in range(0, 4 * count, 4 * LANES):
        _rectify(start + at, out + at)


@njit(nogil=True)
def clear(out, count):
    """`count` zeros, whole vectors of them."""
    for at in range(0, 4 * count, 4 * LANES):
        _clear(out + at)
