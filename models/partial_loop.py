"""The harmonic source's inner loop: the partials of one key in one band, turned through some frames.

The sound of a band stays in registers while its partials go by: each is read once, its steps within a frame are a
product with its powers, and from frame to frame it is turned as a whole.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

STRETCH = 4
"""Frames that a partial is turned through at a time."""

_SINGLE, _WORD = ir.FloatType(), ir.IntType(64)


def _loop(steps: int, channels: int, frames: int) -> Any:
    """The loop for so many steps in a frame, channels and frames."""
    lanes = 8 if steps == 8 else 16
    vector, parts = ir.VectorType(_SINGLE, lanes), range(steps // lanes)
    sides = range(channels)

    @intrinsic
    def turn_band(typing_context, bank, powers, turn, out, out_side, entries, count, fade, silence):
        """Add `count` partials to out and turn them; the loudest's power. bank .. out are addresses, the rest numbers.

        As arrays: bank (2, channels, entries), powers (2, entries, steps), turn (2, entries), each from the first of
        the partials on; out: (channels, frames * steps), `out_side` bytes from channel to channel.
        """

        def generate(context, builder, signature, arguments):
            bank, powers, turn, out, out_side, entries, count, fade, silence = arguments

            def pointer(address: Any, kind: Any) -> Any:
                return builder.inttoptr(address, kind.as_pointer())

            def single(address: Any) -> Any:
                return builder.load(pointer(address, _SINGLE), align=4)

            def spread(scalar: Any) -> Any:
                nothing = ir.Constant(vector, ir.Undefined)
                lane = builder.insert_element(nothing, scalar, ir.IntType(32)(0))
                mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
                return builder.shuffle_vector(lane, nothing, mask)

            def fma(a: Any, b: Any, c: Any) -> Any:
                name = f"llvm.fma.v{lanes}f32" if a.type == vector else "llvm.fma.f32"
                kind = ir.FunctionType(a.type, [a.type] * 3)
                function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
                return builder.call(function, [a, b, c])

            def further(address: Any, bytes_each: int, number: Any) -> Any:
                return builder.add(address, builder.mul(_WORD(bytes_each), number))

            zero = ir.Constant(vector, [0.0] * lanes)
            accumulators = frames * channels * len(parts)
            before = builder.block
            head, sounding, latch, after = map(
                builder.append_basic_block, ("entry", "sounding", "latch", "after")
            )
            builder.branch(head)
            builder.position_at_end(head)
            number, loudest = builder.phi(_WORD), builder.phi(_SINGLE)
            sums = [builder.phi(vector) for _ in range(accumulators)]
            places = [
                [further(further(bank, 4 * (part * channels + side), entries), 4, number) for part in (0, 1)]
                for side in sides
            ]
            states = [[single(place) for place in pair] for pair in places]
            power = _SINGLE(0.0)
            for real, imag in states:
                power = fma(real, real, fma(imag, imag, power))
            builder.cbranch(builder.fcmp_ordered(">", power, silence), sounding, latch)

            builder.position_at_end(sounding)
            at_power = further(powers, 4 * steps, number)
            other = further(at_power, 4 * steps, entries)
            cosines, sines = (
                [
                    builder.load(pointer(builder.add(address, _WORD(4 * lanes * part)), vector), align=4)
                    for part in parts
                ]
                for address in (at_power, other)
            )
            at_turn = further(turn, 4, number)
            real_turn = builder.fmul(single(at_turn), fade)
            imag_turn = builder.fmul(single(further(at_turn, 4, entries)), fade)
            added = list(sums)
            for frame in range(frames):
                for side in sides:
                    real, imag = states[side]
                    minus = builder.fneg(imag)
                    for part in parts:
                        place = (frame * channels + side) * len(parts) + part
                        total = fma(spread(real), cosines[part], added[place])
                        added[place] = fma(spread(minus), sines[part], total)
                    states[side] = [
                        fma(real, real_turn, builder.fmul(minus, imag_turn)),
                        fma(real, imag_turn, builder.fmul(imag, real_turn)),
                    ]
            for pair, values in zip(places, states, strict=True):
                for place, value in zip(pair, values, strict=True):
                    builder.store(value, pointer(place, _SINGLE), align=4)
            louder = builder.select(builder.fcmp_ordered(">", power, loudest), power, loudest)
            builder.branch(latch)

            builder.position_at_end(latch)
            merged = []
            for then, otherwise in ((louder, loudest), *zip(added, sums, strict=True)):
                phi = builder.phi(then.type)
                phi.add_incoming(then, sounding)
                phi.add_incoming(otherwise, head)
                merged.append(phi)
            following = builder.add(number, _WORD(1))
            builder.cbranch(builder.icmp_signed("<", following, count), head, after)
            for phi, first, then in zip(
                (number, loudest, *sums), (_WORD(0), _SINGLE(0.0), *[zero] * accumulators), (following, *merged),
                strict=True,
            ):  # fmt: skip
                phi.add_incoming(first, before)
                phi.add_incoming(then, latch)

            builder.position_at_end(after)
            for frame in range(frames):
                for side in sides:
                    for part in parts:
                        offset = _WORD(4 * (frame * steps + part * lanes))
                        there = pointer(
                            builder.add(builder.add(out, offset), further(_WORD(0), side, out_side)), vector
                        )
                        total = merged[1 + (frame * channels + side) * len(parts) + part]
                        builder.store(builder.fadd(builder.load(there, align=4), total), there, align=4)
            return merged[0]

        return types.float32(*[types.intp] * 7, types.float32, types.float32), generate

    return turn_band


_eight_four, _eight_one = (_loop(8, 2, frames) for frames in (STRETCH, 1))
_eight_mono_four, _eight_mono_one = (_loop(8, 1, frames) for frames in (STRETCH, 1))
_long_four, _long_one = (_loop(32, 1, frames) for frames in (STRETCH, 1))
SHAPES = ((8, 2), (8, 1), (32, 1))
"""Steps in a frame and channels for which there is a loop."""


@njit(nogil=True)
def turn_band(bank, powers, turn, out, out_side, entries, count, fade, silence, steps, channels, frames):
    """As the loop has it, through any number of frames."""
    loudest = np.float32(0)
    while frames > 0:
        at_once = STRETCH if frames >= STRETCH else 1
        if steps == 8 and channels == 2:
            if at_once == 1:
                power = _eight_one(bank, powers, turn, out, out_side, entries, count, fade, silence)
            else:
                power = _eight_four(bank, powers, turn, out, out_side, entries, count, fade, silence)
        elif steps == 8:
            if at_once == 1:
                power = _eight_mono_one(bank, powers, turn, out, out_side, entries, count, fade, silence)
            else:
                power = _eight_mono_four(bank, powers, turn, out, out_side, entries, count, fade, silence)
        elif at_once == 1:
            power = _long_one(bank, powers, turn, out, out_side, entries, count, fade, silence)
        else:
            power = _long_four(bank, powers, turn, out, out_side, entries, count, fade, silence)
        loudest = max(loudest, power)
        out += 4 * steps * at_once
        frames -= at_once
    return loudest
