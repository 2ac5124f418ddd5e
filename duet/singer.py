"""The voice's thread in the models' process: sings what comes over a pipe into the ring, and has it recorded."""

import gc
import logging
import queue
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import soxr

from duet.errors import DuetError
from duet.inline import Score
from duet.note import at
from duet.ports import Blender, Block, Voice
from duet.recording import Recording
from duet.remote import Advance, Failed, Hush, Load, Loaded, Record, Sing, Speed
from duet.ring import Ring
from duet.self_test import advice, measure_speed

logger = logging.getLogger(__name__)

Pipe = Connection
FAILURES = 3
"""How often a voice that fails is begun afresh."""
PATIENCE = 1.5
"""Seconds that a voice gets for ending."""


class Singer:
    """Renders a voice into the ring, a little ahead of the device, at the device's rate."""

    def __init__(self, pipe: "Pipe[Any, Any]", ring: Ring, ahead: int, load: Callable[[str], Voice]) -> None:
        """ahead: samples kept ready in the ring."""
        self._pipe = pipe
        self._ring = ring
        self._ahead = ahead
        self._load = load
        self._voice: Voice | None = None
        self._origin: float | None = None
        """Session time that the first sample of this generation sounds at, less the ring's delay."""
        self._early = 0.0
        """Seconds before their time that events come."""
        self._recording: Recording | None = None
        self._problems: queue.SimpleQueue[str] = queue.SimpleQueue()
        """What the recording's thread has to say: a pipe takes one writer."""

    def serve(self, name: str) -> None:
        """Sing what comes over the pipe until it closes; a voice that fails begins afresh, thrice at most."""
        failures = 0
        self._change(name)
        while True:
            try:
                self._sing()
            except (EOFError, OSError):
                if self._recording:
                    self._recording.close(PATIENCE)
                return
            except Exception as error:
                logger.exception("the voice failed")
                failures += 1
                text = f"the voice failed ({error})"
                if failures > FAILURES:
                    self._voice = None
                    self._pipe.send(Failed(f"{text} {failures} times: choose another; MIDI goes on"))
                else:
                    self._pipe.send(Failed(f"{text}: silent until the next note; MIDI goes on"))
                    self._restart()

    def _sing(self) -> None:
        while True:
            while not self._problems.empty():
                self._pipe.send(Failed(self._problems.get()))
            if self._voice is None:
                self._take(self._pipe.recv())
            elif self._ring.fill >= self._ahead:
                if self._pipe.poll(0.002):
                    self._take(self._pipe.recv())
            else:
                self._render()
            while self._pipe.poll():
                self._take(self._pipe.recv())

    def _change(self, name: str) -> None:
        if isinstance(self._voice, Blender) and self._voice.blend(name):
            self._pipe.send(Loaded(name, delay=self._delay))
            return
        try:
            self._voice = self._load(name)
        except DuetError as error:
            self._pipe.send(Failed(str(error)))
            return
        speed = measure_speed(self._voice)  # and warm: silence would compile nothing
        self._restart()
        gc.freeze()  # a full collection would walk all that was loaded: 140 ms without a sample for the ring
        self._pipe.send(Loaded(name, delay=self._delay))
        self._pipe.send(Speed(speed))
        if too_slow := advice(name, speed):
            self._pipe.send(Failed(too_slow))

    def _restart(self, cut: int | None = None) -> None:
        """Begin anew from silence. cut: the ring's sample from which on what was before faded out."""
        assert self._voice is not None
        if self._recording:
            self._recording.cut(self._ring.clock[0] if cut is None else cut)
        self._score = Score()
        self._blocks = self._voice.render(self._score)
        self._resampler = soxr.ResampleStream(
            self._voice.sample_rate, self._ring.rate, self._voice.channels, dtype="float32", quality="MQ"
        )
        self._origin, self._silent = None, True
        self._ring.begin_generation()
        self._first = self._ring.written
        self._busy = self._sounded = 0.0

    def _take(self, item: object) -> None:
        match item:
            case Sing(event):
                if self._silent:  # the two clocks drift apart: meet again before each answer
                    self._origin, self._silent = None, False
                    if self._recording:
                        self._recording.begin(self._first, self._session_origin() + self._early)
                self._score.add(at(event, event.time - self._session_origin()))
            case Hush(position) if self._voice:
                self._restart(position)
            case Advance(seconds):
                self._early = seconds
            case Record() as wanted:
                self._record(wanted)
            case Load(name):
                self._change(name)

    def _record(self, wanted: Record) -> None:
        """Record to another file from now on."""
        if self._recording:
            self._recording.close(0.0)
        self._recording = Recording(
            wanted.path, self._ring.rate, wanted.zero, self._heard, self._problems.put
        )
        if self._voice:
            self._recording.begin(self._first, self._session_origin() + self._early)

    def _heard(self) -> int | None:
        return None if self._ring.is_cut else self._ring.clock[0]

    def _session_origin(self) -> float:
        """The session time that this generation's time 0 stands for.

        Sample p of the ring sounds at stamp + (p - read) / rate; an event of session time t goes to the
        sample that sounds at t plus a constant delay, the ring's usual fill, so none comes too late.
        """
        if self._origin is None:
            read, stamp = self._ring.clock
            if not stamp:
                read, stamp = self._ring.written, time.monotonic()
            self._origin = stamp + (self._first - read) / self._ring.rate - self._delay
        return self._origin

    @property
    def _delay(self) -> float:
        """Seconds that the ring and a block of the voice's hold."""
        assert self._voice is not None
        return self._ahead / self._ring.rate + self._voice.block_length / self._voice.sample_rate

    def _render(self) -> None:
        assert self._voice is not None
        began = time.thread_time()
        block = next(self._blocks)
        self._silent = not block.any() and not self._score.waits
        sound, position = self._resample(block), self._ring.written
        self._ring.write(sound, not self._silent)
        if self._recording and not self._silent:
            self._recording.add(position, sound)
        if not self._silent:
            self._busy += time.thread_time() - began
            self._sounded += len(block) / self._voice.sample_rate
            if self._sounded >= 1.0:
                self._pipe.send(Speed(self._sounded / max(self._busy, 1e-6)))
                self._busy = self._sounded = 0.0

    def _resample(self, block: Block) -> Block:
        assert self._voice is not None
        if self._voice.sample_rate == self._ring.rate:
            return block
        resampled = np.asarray(self._resampler.resample_chunk(block), np.float32)
        return resampled.reshape(-1, self._voice.channels)
