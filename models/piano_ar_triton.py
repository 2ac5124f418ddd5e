"""The autoregressive voice on a GPU: one Triton program sings a whole phrase, and as many phrases go side by side.

Everything that does not hang on the network's own past is computed beforehand by torch, for all samples at once: what
the layers are told, and the first layer's share of the source. The program then loops over the samples without
coming back, so nothing is launched per sample; its weights are read again for each of them, and stay in the cache
of its processor, which they have to themselves (the small network's are 150 KB). Runs on the CPU in Triton's
interpreter (TRITON_INTERPRET=1), which is how it is tested; needs `pip install triton`, and nothing else needs it.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from models.piano_ar import PianoArNet
from models.piano_ar_config import TAIL, values_of


@triton.jit
def _tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def _product(weights, x, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """weights: (ROWS, COLUMNS) in memory, x: (COLUMNS,) -> (ROWS,)."""
    rows, columns = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    return tl.sum(tl.load(weights + rows[:, None] * COLUMNS + columns[None, :]) * x[None, :], axis=1)


@triton.jit
def _sing(
    entered, told, uniforms, own, taps, onward, onward_bias, skip, skip_bias, head, head_bias, output, output_bias,
    values, dilations, rings, sound, samples, frames, colder, reserve, memory, mu, ring_columns,
    LAYERS: tl.constexpr, R: tl.constexpr, S: tl.constexpr, LEVELS: tl.constexpr, HOP: tl.constexpr,
    TAIL: tl.constexpr,
):  # fmt: skip
    """One phrase: entered (B, T, R), told (B, J, LAYERS, 2 R), uniforms (B, T) -> sound (B, T), 1 the levels' reach.

    taps: (LAYERS, filter and gate, earlier and now, R, R); rings: (B, ring_columns, R), zeros.
    """
    phrase = tl.program_id(0)
    r, s, levels = tl.arange(0, R), tl.arange(0, S), tl.arange(0, LEVELS)
    ring = rings + phrase * ring_columns * R
    past = 0.0
    for sample in range(samples):
        x = tl.load(entered + (phrase * samples + sample) * R + r) + tl.load(own + r) * past
        skips = tl.zeros((S,), tl.float32)
        first = 0
        for layer in range(LAYERS):
            dilation = tl.load(dilations + layer)
            slot = ring + (first + sample % dilation) * R + r
            first += dilation
            earlier = tl.load(slot)
            tl.store(slot, x)
            said = told + ((phrase * frames + sample // HOP) * LAYERS + layer) * 2 * R
            tap = taps + layer * 4 * R * R
            filtered = tl.load(said + r) + _product(tap, earlier, R, R) + _product(tap + R * R, x, R, R)
            tap += 2 * R * R
            gate = tl.load(said + R + r) + _product(tap, earlier, R, R) + _product(tap + R * R, x, R, R)
            z = _tanh(filtered) * tl.sigmoid(gate)
            x += _product(onward + layer * R * R, z, R, R) + tl.load(onward_bias + layer * R + r)
            skips += _product(skip + layer * S * R, z, S, R) + tl.load(skip_bias + layer * S + s)
        headed = _product(head, tl.maximum(skips, 0.0), S, S) + tl.load(head_bias + s)
        logits = _product(output, tl.maximum(headed, 0.0), LEVELS, S) + tl.load(output_bias + levels)
        odds = tl.exp((logits - tl.max(logits, axis=0)) * colder)
        odds = tl.where(odds < TAIL, 0.0, odds)
        summed = tl.cumsum(odds, axis=0)
        passed = tl.load(uniforms + phrase * samples + sample) * tl.max(summed, axis=0)
        level = tl.minimum(tl.sum((summed <= passed).to(tl.int32), axis=0), LEVELS - 1)
        drawn = tl.load(values + level)
        mean = tl.sum(odds * tl.load(values + levels), axis=0) / tl.sum(odds, axis=0)
        said = drawn + reserve * (mean - drawn)
        tl.store(sound + phrase * samples + sample, said)
        bent = tl.log(1.0 + mu * tl.abs(said)) / tl.log(1.0 + mu)
        past = memory * tl.where(said < 0, -bent, bent)
        tl.debug_barrier()  # what is stored in the rings is read by other threads next time


@torch.no_grad()
def generate(
    net: PianoArNet, source: Tensor, features: Tensor, uniforms: Tensor, temperature: float = 1.0
) -> Tensor:
    """As `piano_ar.generate`, on the device that the network is on.

    source: (B, GROUPS, T), features: (B, FEATURES, T / hop), uniforms: (B, T) in [0, 1) -> (B, T), full scale 1.
    """
    c = net.config
    batch, samples = uniforms.shape
    layers = len(c.dilations)
    told, _ = net.tell(source, features, net.silent_state(batch)[: len(c.context_dilations)])
    silent = uniforms.new_zeros(batch, 1, samples)
    entered = net.entry(net.heard(silent, source)).transpose(1, 2).contiguous()
    taps = torch.stack([conv.weight.permute(2, 0, 1) for conv in net.dilated])
    taps = taps.unflatten(2, (2, c.residual)).transpose(1, 2).contiguous()
    sound = torch.empty_like(uniforms, memory_format=torch.contiguous_format)
    stacked = [
        torch.stack([getattr(conv, kind).squeeze(-1) for conv in convs]).contiguous()
        for convs in (net.residual, net.skip)
        for kind in ("weight", "bias")
    ]
    _sing[(batch,)](
        entered, told.transpose(1, 2).contiguous(), uniforms.contiguous(),
        net.entry.weight[:, 0, 0].contiguous(), taps, *stacked,
        net.head.weight.contiguous(), net.head.bias, net.output.weight.contiguous(), net.output.bias,
        torch.from_numpy(values_of(c.levels)).to(uniforms),
        torch.tensor(c.dilations, dtype=torch.int32, device=uniforms.device),
        uniforms.new_zeros(batch, sum(c.dilations), c.residual), sound,
        samples, told.shape[2], 1 / temperature, 1 - c.spread, c.memory, float(c.levels - 1), sum(c.dilations),
        LAYERS=layers, R=c.residual, S=c.skip, LEVELS=c.levels, HOP=c.hop_length, TAIL=TAIL,
    )  # fmt: skip
    return sound * c.reach
