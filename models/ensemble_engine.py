"""The ensemble played block by block: the sources of its instruments, mixed, into the one network.

Every instrument of the mixture sounds every note on its own source; shares set how loud each is and how much of its
embedding the network is told. `mix` may come at any time: shares glide to where they are wanted, an instrument that
comes in strikes the keys that are held, one that leaves fades out. State is a value, as in `models/piano_engine.py`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from duet.mixture import Mixture
from models import piano_kernel
from models.ensemble_checkpoint import EnsembleCheckpoint
from models.ensemble_config import biases_of, trunk_of
from models.piano_checkpoint import PianoCheckpoint
from models.piano_engine import EngineState, PianoEngine
from models.piano_kernel import perform
from models.source import CHANNELS, SourceState, build_tables, sound_source
from models.stamp import stamp

Array = NDArray[np.float32]

GLIDE = 0.05
"""Seconds in which shares come by two thirds nearer to where they are wanted."""
ARRIVED = 1e-4
"""A share that is nearer is there."""


class EnsembleState(NamedTuple):
    """All that passes from one block to the next."""

    network: EngineState
    sources: tuple[SourceState, ...]
    shares: Array
    """(voices,): as they are now; they add up to 1."""
    plays: NDArray[np.bool_]
    """(voices,): whether its source is sounded."""
    room: Array
    """Where a source is sounded before it is mixed."""

    @property
    def velocity(self) -> NDArray[np.int64]:
        """(voices, 2, KEYS): of each ringing and each damped key, 0 where there is none."""
        return np.stack([source.velocity for source in self.sources])

    @property
    def clock(self) -> NDArray[np.int64]:
        """The network's."""
        return self.network.clock

    def copy(self) -> "EnsembleState":
        """A state to come back to."""
        sources = tuple(
            SourceState(source.ringing.copy(), source.damped.copy(), source.velocity.copy())
            for source in self.sources
        )
        return EnsembleState(
            self.network.copy(), sources, self.shares.copy(), self.plays.copy(), self.room.copy()
        )


class EnsembleEngine:
    """Weights and tables made ready; `sing` turns rolls into sound, `mix` says whose."""

    channels = CHANNELS

    def __init__(self, checkpoint: EnsembleCheckpoint, frames: int = 4, seed: int = 0) -> None:
        """Frames: in a block, as for `PianoEngine`. The first voice sounds alone until `mix` says otherwise."""
        self.voices = checkpoint.config.voices
        self.config = c = checkpoint.config.trunk
        first = PianoCheckpoint(c, trunk_of(checkpoint.weights), checkpoint.partials[0])
        self._engine = PianoEngine(first, frames, seed)
        self.frames, self.seed = self._engine.frames, self._engine.seed
        self.block_length = self._engine.block_length
        others = (
            build_tables(partials, c.bank(), c.sample_rate, c.hop_length, c.delay)
            for partials in checkpoint.partials[1:]
        )
        self.tables = (self._engine.tables, *others)
        self._checkpoint_weights = checkpoint.weights
        self._glide = np.float32(1 - np.exp(-self.block_length / c.sample_rate / GLIDE))
        self._told: Array | None = None
        self._weights = self._engine.weights
        self.mix(Mixture(((self.voices[0], 1.0),)))

    def mix(self, mixture: Mixture) -> None:
        """Sound like this from the next block on. Raises ValueError if a voice is none of ours."""
        unknown = [name for name, _ in mixture.parts if name not in self.voices]
        if unknown:
            raise ValueError(
                f"no voice of the ensemble is called {unknown[0]!r}; there are {', '.join(self.voices)}"
            )
        shares, members = np.zeros(len(self.voices), np.float32), np.zeros(len(self.voices), bool)
        for name, share in mixture.parts:
            shares[self.voices.index(name)], members[self.voices.index(name)] = share, True
        self.mixture, self._shares, self._members = mixture, shares, members

    def silent_state(self) -> EnsembleState:
        """The state before any sound, with the mixture as it is wanted."""
        network = self._engine.silent_state()
        sources = tuple(SourceState.silent(tables) for tables in self.tables)
        room = np.zeros_like(network.heard[: self.tables[0].rows])
        return EnsembleState(network, sources, self._shares.copy(), self._members.copy(), room)

    def sing(self, state: EnsembleState, onset: Array, release: Array, pedal: Array, out: Array) -> None:
        """Make a block. onset, release: (frames, KEYS); pedal: (frames,) -> out: (block_length, CHANNELS)."""
        mixed = state.network.heard[: len(state.room)]
        mixed[:] = 0
        held = self._enter(state, onset)
        before = state.shares.copy()
        self._approach(state)
        rising = np.linspace(0, 1, mixed.shape[1], dtype=np.float32)
        for index, (tables, source) in enumerate(zip(self.tables, state.sources, strict=True)):
            if not state.plays[index]:
                continue
            struck = onset if held is None or not held[index].any() else np.maximum(onset, held[index])
            sound_source(tables, source, struck, release, pedal, state.room)
            share = before[index] + (state.shares[index] - before[index]) * rising
            np.multiply(state.room, share, out=state.room)
            np.add(mixed, state.room, out=mixed)
            if not self._members[index] and state.shares[index] == 0:
                _silence(state, index)
        if self._told is None or not np.array_equal(self._told, state.shares):
            self._tell(state.shares)
        sing_on(self._weights, state.network, onset, release, pedal, out)

    def rest(self, state: EnsembleState) -> None:
        """Let a block's time pass in silence; there is nothing to glide from."""
        self._engine.rest(state.network)
        self.arrive(state)

    def arrive(self, state: EnsembleState) -> None:
        """Make a state in which nothing sounds one of the mixture that is wanted, without a glide."""
        state.shares[:], state.plays[:] = self._shares, self._members

    def noise(self, first: int, steps: int) -> Array:
        """The noise the engine hears from step `first` on: (rows, steps), the same for the same seed."""
        return self._engine.noise(first, steps)

    def _enter(self, state: EnsembleState, onset: Array) -> Array | None:
        """Let those come in who are wanted and do not play: what each is to strike, (voices, frames, KEYS), or None.

        Keys that others hold are struck for them in the first frame, as when a stop is drawn at an organ.
        """
        entering = self._members & ~state.plays
        if not entering.any():
            return None
        held = np.zeros((len(self.voices), *onset.shape), np.float32)
        velocities = np.max([source.velocity[0] for source in state.sources], axis=0) / np.float32(127)
        held[entering, 0] = velocities
        state.plays[entering] = True
        return held

    def _approach(self, state: EnsembleState) -> None:
        """Move the shares towards where they are wanted."""
        if np.array_equal(state.shares, self._shares):
            return
        state.shares[:] += (self._shares - state.shares) * self._glide
        if np.abs(self._shares - state.shares).max() < ARRIVED:
            state.shares[:] = self._shares

    def _tell(self, shares: Array) -> None:
        """Have the network told of this mixture."""
        biases = biases_of(self._checkpoint_weights, shares)
        self._weights = self._weights._replace(
            read_bias=biases["read"], condition_bias=biases["condition"], output_bias=biases["output"]
        )
        self._told = shares.copy()


def _silence(state: EnsembleState, index: int) -> None:
    """An instrument has left."""
    source = state.sources[index]
    source.ringing[:], source.damped[:], source.velocity[:] = 0, 0, 0
    state.plays[index] = False


def _build(sources):
    """The kernel of the network, made of `sources`."""

    @njit(cache=True, nogil=True, fastmath=True)
    def sing_on(w, s, onset, release, pedal, out):
        """A block from a source that is there."""
        made_of = sources  # noqa: F841 (part of the key under which numba keeps this)
        perform(w, s, onset, release, pedal, out)

    return sing_on


sing_on = _build(stamp(piano_kernel, *piano_kernel.MADE_OF))
