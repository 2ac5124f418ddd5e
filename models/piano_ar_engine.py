"""The autoregressive voice played block by block: the network of `models/piano_ar.py` without torch.

One compiled call (`models/piano_ar_kernel.py`) makes a block, sample by sample, with the interpreter's lock
released. State is a value: `ArState` goes in, is moved on in place, and can be copied and gone on from.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.columns import AT_ONCE, level_order, pack_columns, pack_gates, whole
from models.partials import KEYS
from models.piano_ar_config import PianoArConfig, values_of
from models.piano_ar_kernel import sing, uniform
from models.piano_checkpoint import PianoCheckpoint
from models.source import GROUPS, SourceTables, build_tables
from models.vector_code import LANES, aligned
from models.voice_features import KINDS
from models.voice_reader import pack_reader

Array = NDArray[np.float32]
Counts = NDArray[np.int64]


class ArWeights(NamedTuple):
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
    values: Array
    """(levels,): what each level stands for, in [-1, 1]."""
    placed: Array
    """(levels,): the same in the order of the logits."""
    colder: Array
    """(2,): one over the temperature; above 0 if the source is to be added to what the levels say."""
    reserve: Array
    """(3,): how far it goes from the level drawn to the mean; the share of its past it hears; the levels' reach."""


class ArState(NamedTuple):
    """All that passes from one block to the next, and the room the block is made in."""

    ringing: Array
    damped: Array
    velocity: Counts
    features: Array
    context: Array
    rings: Array
    clock: Counts
    past: Array
    row: Array
    code: Array
    told: Array
    heard: Array
    entered: Array
    running: Array
    gated: Array
    headed: Array
    logits: Array
    odds: Array
    lanes: Array

    def copy(self) -> "ArState":
        """A state to come back to."""
        return ArState(*(aligned(array) for array in self))


class PianoArEngine:
    """Weights and tables made ready; `sing` turns rolls into sound."""

    channels = 1

    def __init__(
        self, checkpoint: PianoCheckpoint, frames: int = 8, seed: int = 0, temperature: float | None = None
    ) -> None:
        """Frames: in a block.  temperature: the config's if None."""
        assert isinstance(checkpoint.config, PianoArConfig)
        self.config = config = checkpoint.config
        self.frames = frames
        self.seed = seed
        self.tables: SourceTables = build_tables(
            checkpoint.partials.mono(), config.bank(), config.sample_rate, config.hop_length, 0
        )
        weights = _arrange(config, checkpoint.weights, temperature or config.temperature)
        self.weights = ArWeights(*map(aligned, weights))

    @property
    def block_length(self) -> int:
        """Samples in a block."""
        return self.frames * self.config.hop_length

    def silent_state(self) -> ArState:
        """The state before any sound."""
        c = self.config
        context_past = (c.kernel - 1) * max(c.context_dilations)

        def zeros(*shape: int) -> Array:
            return aligned(np.zeros(shape, np.float32))

        return ArState(
            ringing=np.zeros_like(self.tables.amplitude),
            damped=np.zeros_like(self.tables.amplitude),
            velocity=np.zeros((2, KEYS), np.int64),
            features=zeros(KINDS, KEYS),
            context=zeros(len(c.context_dilations), context_past + 1, whole(c.context)),
            rings=zeros(sum(c.dilations), c.residual),
            clock=np.array([self.seed, 0], np.int64),
            past=zeros(1),
            row=zeros(c.told),
            code=zeros(2, whole(c.context)),
            told=zeros(self.frames, len(c.dilations) * 2 * c.residual),
            heard=zeros(GROUPS * c.hears_source, self.block_length),
            entered=zeros(c.inputs + -c.inputs % AT_ONCE),
            running=zeros(c.residual + c.skip),
            gated=zeros(c.residual),
            headed=zeros(c.skip),
            logits=zeros(c.levels),
            odds=zeros(c.levels),
            lanes=zeros(2 * LANES),
        )

    def sing(self, state: ArState, onset: Array, release: Array, pedal: Array, out: Array) -> None:
        """Make a block. onset, release: (frames, KEYS); pedal: (frames,) -> out: (block_length, 1)."""
        self._run(state, onset, release, pedal, out, _NOTHING, _NO_LOGITS)

    def score(self, state: ArState, onset: Array, release: Array, pedal: Array, taught: Array) -> Array:
        """The logits of a block whose companded past is given: (block_length,) -> (block_length, levels)."""
        logits = np.empty((self.block_length, self.config.levels), np.float32)
        self._run(state, onset, release, pedal, np.empty((self.block_length, 1), np.float32), taught, logits)
        return logits

    def _run(
        self,
        state: ArState,
        onset: Array,
        release: Array,
        pedal: Array,
        out: Array,
        taught: Array,
        logits: Array,
    ) -> None:
        t = self.tables
        sing(
            self.weights, state, t.start, t.channel, t.amplitude, t.powers, t.turn, t.gain, t.layer, t.tint, t.fade,
            onset, release, pedal, out, taught, logits,
        )  # fmt: skip

    def rest(self, state: ArState) -> None:
        """Let a block's time pass in silence."""
        state.clock[1] += self.block_length

    def uniforms(self, first: int, count: int) -> Array:
        """The numbers the engine draws levels with, from sample `first` on: (count,)."""
        return np.array([uniform(self.seed, sample) for sample in range(first, first + count)], np.float32)


_NOTHING = np.empty(0, np.float32)
_NO_LOGITS = np.empty((0, 0), np.float32)


def _arrange(config: PianoArConfig, weights: dict[str, Array], temperature: float) -> ArWeights:
    """Put a state dict into the engine's order, with the source's scale folded into the first layer."""
    layers = range(len(config.dilations))

    def matrix(name: str) -> Array:
        return weights[f"{name}.weight"][:, :, 0]

    entry = matrix("entry").copy()
    if config.hears_source:
        entry[:, 1 : 1 + GROUPS] *= weights["source_scale"]
    dilated = [weights[f"dilated.{layer}.weight"] for layer in layers]
    onward = [np.concatenate([matrix(f"residual.{layer}"), matrix(f"skip.{layer}")]) for layer in layers]
    onward_bias = [
        np.concatenate([weights[f"residual.{layer}.bias"], weights[f"skip.{layer}.bias"]]) for layer in layers
    ]
    order = level_order(config.levels)
    return ArWeights(
        **pack_reader(config, weights),
        entry=pack_columns(entry),
        entry_bias=weights["entry.bias"],
        dilated=np.stack([pack_gates(weights) for weights in dilated]),
        dilations=np.array(config.dilations),
        onward=np.stack([pack_columns(both) for both in onward]),
        onward_bias=np.stack(onward_bias),
        head=pack_columns(matrix("head")),
        head_bias=weights["head.bias"],
        output=pack_columns(matrix("output")[order]),
        output_bias=weights["output.bias"][order],
        values=values_of(config.levels),
        placed=values_of(config.levels)[order],
        colder=np.array([1 / temperature, config.codes_rest], np.float32),
        reserve=np.array([1 - config.spread, config.memory, config.reach], np.float32),
    )
