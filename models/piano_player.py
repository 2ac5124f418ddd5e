"""A piano voice at its socket, of either form: events in, blocks of sound out, zeros when nothing sounds."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.mixture import Mixture
from duet.note import Event
from duet.roll import Grid, Roll
from models.ensemble_checkpoint import EnsembleCheckpoint
from models.ensemble_engine import EnsembleEngine, EnsembleState
from models.partials import KEYS
from models.piano_ar_config import PianoArConfig
from models.piano_ar_engine import ArState, PianoArEngine
from models.piano_checkpoint import PianoCheckpoint
from models.piano_engine import EngineState, PianoEngine
from models.sine_voice import Timeline
from models.voice_features import fold

TAIL = 0.25
"""Seconds the network goes on after the last partial has died: longer than anything it remembers."""


class PianoVoice:
    """A trained piano, or ensemble, playing."""

    def __init__(
        self, checkpoint: PianoCheckpoint | EnsembleCheckpoint, seed: int = 0, frames: int = 4
    ) -> None:
        """Frames: of the roll in each block, 2 ms each."""
        self.engine: Any = _engine(checkpoint, frames, seed)
        self.channels: int = self.engine.channels
        self.sample_rate: int = self.engine.config.sample_rate
        self.block_length: int = self.engine.block_length
        self._grid = Grid(self.sample_rate, self.engine.config.hop_length)
        self._at_rest = self._settle()

    def blend(self, name: str) -> bool:
        """Become another voice or mixture of the same ensemble, without a break; False if it is none of ours."""
        if not isinstance(self.engine, EnsembleEngine) or name == "piano":  # which has weights of its own
            return False
        try:
            self.engine.mix(Mixture.read(name))
        except ValueError:
            return False
        self.engine.arrive(self._at_rest)
        return True

    def _settle(self) -> EngineState | ArState | EnsembleState:
        """The state of a network that has heard silence for a while; compiles the kernel on the way."""
        engine = self.engine
        state = engine.silent_state()
        nothing = np.zeros((engine.frames, KEYS), np.float32)
        out = np.zeros((engine.block_length, self.channels), np.float32)
        for _ in range(round(TAIL * self.sample_rate / self.block_length)):
            engine.sing(state, nothing, nothing, nothing[:, 0].copy(), out)
        state.clock[1] = 0
        return state

    def render(self, timeline: Timeline) -> Iterator[NDArray[np.float32]]:
        """Yield blocks (block_length, channels) in [-1, 1] for ever, from silence, each with its events taken."""
        engine, frames = self.engine, self.engine.frames
        state, roll = self._at_rest.copy(), Roll()
        onset, release = np.zeros((2, frames, KEYS), np.float32)
        pedal = np.zeros(frames, np.float32)
        patience = round(TAIL * self.sample_rate / self.block_length)
        quiet = patience
        first = 0
        while True:
            end = (first + frames) * self._grid.hop_length / self.sample_rate
            events = timeline.take(end)
            first += frames
            sounding = bool(events) or state.velocity.any()
            quiet = 0 if sounding else quiet + 1
            out = np.zeros((self.block_length, self.channels), np.float32)
            if quiet > patience:
                engine.rest(state)
            else:
                buckets = self._sort(events, first - frames)
                for frame, bucket in enumerate(buckets):
                    onset[frame], release[frame] = 0, 0
                    if bucket:
                        onset[frame], release[frame] = fold(roll.step(bucket))
                    pedal[frame] = roll.pedal
                engine.sing(state, onset, release, pedal, out)
            yield out

    def _sort(self, events: Sequence[Event], first: int) -> list[list[Event]]:
        """Events by frame of the block that begins with frame `first`; late ones at its start."""
        buckets: list[list[Event]] = [[] for _ in range(self.engine.frames)]
        for event in events:
            frame = self._grid.frame_of(event.time) - first
            buckets[min(max(frame, 0), self.engine.frames - 1)].append(event)
        return buckets


def _engine(checkpoint: PianoCheckpoint | EnsembleCheckpoint, frames: int, seed: int) -> Any:
    """What plays this kind of voice."""
    if isinstance(checkpoint, EnsembleCheckpoint):
        return EnsembleEngine(checkpoint, frames, seed)
    autoregressive = isinstance(checkpoint.config, PianoArConfig)
    return (PianoArEngine if autoregressive else PianoEngine)(checkpoint, frames, seed)
