"""The models' own process: a thread composes, a thread sings into the ring, both on orders from a pipe.

Here the interpreter may be as busy as it likes; what plays is in the engine's process.
"""

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from duet.errors import DuetError
from duet.foresight import Foresight
from duet.ports import Partner, Voice
from duet.remote import Compose, Composed, CutIt, Failed, HearIt, Load, Loaded
from duet.ring import Ring
from duet.singer import PATIENCE, Pipe, Singer
from duet.title import name_process

logger = logging.getLogger(__name__)

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
    gc.freeze()  # a full collection would walk all that was loaded: 140 ms without a sample for the ring
    pipe.send(Loaded(name, tuple(partner.styles)))
    return partner


def run_models(
    partner_pipe: "Pipe[Any, Any]",
    voice_pipe: "Pipe[Any, Any] | None",
    names: tuple[str, str],
    ring: tuple[str, int, int] | None,
    loaders: tuple[Callable[[str], Partner], Callable[[str], Voice]],
) -> None:
    """Main of the models' process. names: (partner, voice). ring: (name, rate, samples kept ready), None if mute."""
    name_process("duet-models")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engine says when it is over
    sys.setswitchinterval(0.0005)  # two threads share this interpreter: a block must not wait 5 ms for a note
    singing: threading.Thread | None = None
    if voice_pipe and ring:
        singer = Singer(voice_pipe, Ring(ring[1], ring[0]), ring[2], loaders[1])
        singing = threading.Thread(target=singer.serve, args=(names[1],), name="voice", daemon=True)
        singing.start()
    serve_partner(partner_pipe, loaders[0], names[0])
    if singing:
        singing.join(PATIENCE)  # what it records is closed
    os._exit(0)  # the voice's thread may be in the middle of a kernel; there is nothing here to put away
