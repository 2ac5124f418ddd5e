"""The piano voice played block by block: the network of `models/piano_voice.py` without torch.

One compiled call (`models/piano_kernel.py`) makes a block: features, source, noise, network and filter bank,
with the interpreter's lock released and nothing allocated. State is a value: `EngineState` goes in, is moved on
in place, and can be copied and gone on from.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.columns import whole
from models.partials import KEYS
from models.piano_checkpoint import PianoCheckpoint
from models.piano_kernel import fill_noise, sing
from models.piano_voice_config import PianoVoiceConfig
from models.source import CHANNELS, SourceTables, build_tables
from models.tile import STEPS, pack
from models.voice_features import KINDS
from models.voice_reader import pack_reader

Array = NDArray[np.float32]
Counts = NDArray[np.int64]


class EngineWeights(NamedTuple):
    """The network's tensors in the order in which the engine reads them."""

    fading: Array
    read: Array
    read_bias: Array
    context: Array
    context_bias: Array
    context_dilations: Counts
    condition: Array
    condition_bias: Array
    entry: Array
    entry_bias: Array
    dilated: Array
    dilations: Counts
    onward: Array
    onward_bias: Array
    head: Array
    head_bias: Array
    output: Array
    output_bias: Array
    output_scale: Array
    join: Array


class EngineState(NamedTuple):
    """All that passes from one block to the next, and the room the block is made in."""

    ringing: Array
    damped: Array
    velocity: Counts
    features: Array
    context: Array
    layers: Array
    subbands: Array
    clock: Counts
    row: Array
    code: Array
    told: Array
    heard: Array
    gates: Array
    gated: Array
    onward: Array
    skips: Array
    said: Array
    phases: Array

    def copy(self) -> "EngineState":
        """A state to come back to."""
        return EngineState(*(array.copy() for array in self))


class PianoEngine:
    """Weights and tables made ready; `sing` turns rolls into sound."""

    channels = CHANNELS

    def __init__(self, checkpoint: PianoCheckpoint, frames: int = 4, seed: int = 0) -> None:
        """Frames: in a block; the block's steps must be a multiple of 16."""
        assert isinstance(checkpoint.config, PianoVoiceConfig)
        self.config = config = checkpoint.config
        if frames * config.steps % STEPS:
            raise ValueError(f"a block of {frames} frames is not a multiple of {STEPS} sub-band steps")
        self.frames = frames
        self.seed = seed
        self.tables: SourceTables = build_tables(
            checkpoint.partials, config.bank(), config.sample_rate, config.hop_length, config.delay
        )
        self.weights = _arrange(config, checkpoint.weights)

    @property
    def block_length(self) -> int:
        """Samples in a block."""
        return self.frames * self.config.hop_length

    def silent_state(self) -> EngineState:
        """The state before any sound."""
        c, columns = self.config, self.frames * self.config.steps
        layers = len(c.dilations)
        past = (c.kernel - 1) * max(c.dilations)
        context_past = (c.kernel - 1) * max(c.context_dilations)
        taps = c.filter_length // c.bands

        def zeros(*shape: int) -> Array:
            return np.zeros(shape, np.float32)

        return EngineState(
            ringing=np.zeros_like(self.tables.amplitude),
            damped=np.zeros_like(self.tables.amplitude),
            velocity=np.zeros((2, KEYS), np.int64),
            features=zeros(KINDS, KEYS),
            context=zeros(len(c.context_dilations), context_past + 1, whole(c.context)),
            layers=zeros(layers + 1, c.residual, past + columns),
            subbands=zeros(c.rows, taps - 1 + columns),
            clock=np.array([self.seed, 0], np.int64),
            row=zeros(c.told),
            code=zeros(2, whole(c.context)),
            told=zeros(self.frames, whole(layers * 2 * c.residual)),
            heard=zeros(c.inputs, columns),
            gates=zeros(2 * c.residual, columns),
            gated=zeros(c.residual, columns),
            onward=zeros(c.residual + c.skip, columns),
            skips=zeros(2 * c.skip, columns),
            said=zeros(c.outputs, columns),
            phases=zeros(c.bands, columns),
        )

    def sing(self, state: EngineState, onset: Array, release: Array, pedal: Array, out: Array) -> None:
        """Make a block. onset, release: (frames, KEYS); pedal: (frames,) -> out: (block_length, CHANNELS)."""
        t = self.tables
        sing(
            self.weights, state, t.start, t.channel, t.amplitude, t.powers, t.turn, t.gain, t.layer, t.tint, t.fade,
            onset, release, pedal, out,
        )  # fmt: skip

    def rest(self, state: EngineState) -> None:
        """Let a block's time pass in silence."""
        state.clock[1] += self.frames * self.config.steps

    def noise(self, first: int, steps: int) -> Array:
        """The noise the engine hears from step `first` on: (rows, steps), the same for the same seed."""
        out = np.empty((self.config.rows, steps), np.float32)
        fill_noise(out, self.seed, first)
        return out


def _arrange(config: PianoVoiceConfig, weights: dict[str, Array]) -> EngineWeights:
    """Put a state dict into the engine's order, with the source's scale folded into the first layer."""
    layers = range(len(config.dilations))
    scale = np.concatenate([weights["source_scale"], np.ones(config.rows, np.float32)])

    def matrix(name: str) -> Array:
        return weights[f"{name}.weight"][:, :, 0]

    taps = config.filter_length // config.bands
    filters = config.bank().synthesis.reshape(config.bands, taps, config.bands)
    dilated = [weights[f"dilated.{layer}.weight"] for layer in layers]
    onward = [np.concatenate([matrix(f"residual.{layer}"), matrix(f"skip.{layer}")]) for layer in layers]
    onward_bias = [
        np.concatenate([weights[f"residual.{layer}.bias"], weights[f"skip.{layer}.bias"]]) for layer in layers
    ]
    return EngineWeights(
        **pack_reader(config, weights),
        entry=pack(matrix("entry") * scale),
        entry_bias=weights["entry.bias"],
        dilated=np.stack([np.stack([pack(w[:, :, tap]) for tap in range(config.kernel)]) for w in dilated]),
        dilations=np.array(config.dilations),
        onward=np.stack([pack(both) for both in onward]),
        onward_bias=np.stack(onward_bias),
        head=pack(matrix("head")),
        head_bias=weights["head.bias"],
        output=pack(matrix("output")),
        output_bias=weights["output.bias"],
        output_scale=weights["output_scale"],
        join=np.stack([pack(filters[:, tap].T) for tap in range(taps)]),
    )
