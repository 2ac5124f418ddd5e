"""The models' own process: a thread composes, a thread sings into the ring, both on orders from a pipe.

Here the interpreter may be as busy as it likes; what plays is in the engine's process.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import soxr

from duet.errors import DuetError
from duet.foresight import Foresight
from duet.inline import Score
from duet.note import at
from duet.ports import Block, Partner, Voice
from duet.remote import Compose, Composed, CutIt, Failed, HearIt, Hush, Load, Loaded, Sing, Speed
from duet.ring import Ring
from duet.self_test import advice, measure_speed

logger = logging.getLogger(__name__)

Pipe = Connection
COMPOSED_AHEAD = 3.0
"""Seconds of music that composing may run ahead of its playing; beyond, the core is the voice's."""


def serve_partner(pipe: "Pipe[Any, Any]", load: Callable[[str], Partner], name: str) -> None:
    """Carry out what comes over the pipe until it closes."""
    partner = _load(pipe, load, name, None)
    foresight = Foresight(partner)
    waiting: deque[Any] = deque()
    while True:
        try:
            item = waiting.popleft() if waiting else pipe.recv()
        except (EOFError, OSError):
            return
        match item:
            case Load(other):
                partner = _load(pipe, load, other, partner)
                foresight = Foresight(partner)
            case HearIt() | CutIt() if partner:
                try:
                    if isinstance(item, CutIt):
                        partner.cut(item.seconds)
                        continue
                    partner.hear(item.event)
                    if expectation := foresight.after(item.event):
                        pipe.send(expectation)
                except (EOFError, OSError):
                    return
                except Exception as error:
                    logger.exception("listening failed")
                    partner.forget()
                    pipe.send(Failed(f"the partner lost the thread ({error}) and begins afresh"))
            case Compose(request) if partner:
                foresight.end_call()
                began = time.monotonic()
                try:
                    for event in partner.respond(request):
                        pipe.send(Composed(request.turn, event))
                        lead = event.time - (time.monotonic() - began) - COMPOSED_AHEAD
                        while pipe.poll(max(0.0, lead)):
                            waiting.append(pipe.recv())
                            lead = 0.0
                        if any(isinstance(other, CutIt) for other in waiting):
                            break
                    pipe.send(Composed(request.turn, None))
                except (EOFError, OSError):
                    return
                except Exception as error:
                    logger.exception("composing failed")
                    pipe.send(Failed(f"the partner failed: {error}", request.turn))
            case Compose(request):
                pipe.send(Failed("no partner is loaded; choose another", request.turn))


def _load(
    pipe: "Pipe[Any, Any]", load: Callable[[str], Partner], name: str, instead: Partner | None
) -> Partner | None:
    """The partner of that name, made known to the engine; `instead` if it cannot be had."""
    try:
        partner = load(name)
    except DuetError as error:
        pipe.send(Failed(str(error)))
        return instead
    pipe.send(Loaded(name, tuple(partner.styles)))
    return partner


FAILURES = 3
"""How often a voice that fails is begun afresh."""


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

    def serve(self, name: str) -> None:
        """Sing what comes over the pipe until it closes; a voice that fails begins afresh, thrice at most."""
        failures = 0
        self._change(name)
        while True:
            try:
                self._sing()
            except (EOFError, OSError):
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
        try:
            self._voice = self._load(name)
        except DuetError as error:
            self._pipe.send(Failed(str(error)))
            return
        speed = measure_speed(self._voice)  # and warm: silence would compile nothing
        self._restart()
        self._pipe.send(Loaded(name))
        self._pipe.send(Speed(speed))
        if too_slow := advice(name, speed):
            self._pipe.send(Failed(too_slow))

    def _restart(self) -> None:
        assert self._voice is not None
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
                self._score.add(at(event, event.time - self._session_origin()))
            case Hush() if self._voice:
                self._restart()
            case Load(name):
                self._change(name)

    def _session_origin(self) -> float:
        """The session time that this generation's time 0 stands for.

        Sample p of the ring sounds at stamp + (p - read) / rate; an event of session time t goes to the
        sample that sounds at t plus a constant delay, the ring's usual fill, so none comes too late.
        """
        if self._origin is None:
            read, stamp = self._ring.clock
            if not stamp:
                read, stamp = self._ring.written, time.monotonic()
            delay = (self._ahead + self._voice_block) / self._ring.rate
            self._origin = stamp + (self._first - read) / self._ring.rate - delay
        return self._origin

    @property
    def _voice_block(self) -> float:
        assert self._voice is not None
        return self._voice.block_length * self._ring.rate / self._voice.sample_rate

    def _render(self) -> None:
        assert self._voice is not None
        began = time.thread_time()
        block = next(self._blocks)
        self._silent = not block.any() and not self._score.waits
        self._ring.write(self._resample(block), not self._silent)
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


def run_models(
    partner_pipe: "Pipe[Any, Any]",
    voice_pipe: "Pipe[Any, Any] | None",
    names: tuple[str, str],
    ring: tuple[str, int, int] | None,
    loaders: tuple[Callable[[str], Partner], Callable[[str], Voice]],
) -> None:
    """Main of the models' process. names: (partner, voice). ring: (name, rate, samples kept ready), None if mute."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine says when it is over
    sys.setswitchinterval(0.0005)  # two threads share this interpreter: a block must not wait 5 ms for a note
    if voice_pipe and ring:
        singer = Singer(voice_pipe, Ring(ring[1], ring[0]), ring[2], loaders[1])
        threading.Thread(target=singer.serve, args=(names[1],), name="voice", daemon=True).start()
    serve_partner(partner_pipe, loaders[0], names[0])
    os._exit(0)  # the voice's thread may be in the middle of a kernel; there is nothing here to put away
