"""The engine's hold on the models' process: starts it, hears that it is ready, starts it again if it dies."""

import asyncio
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from duet.errors import DuetError
from duet.models_process import run_models
from duet.phrase_end import Expectation
from duet.ports import Partner, Voice
from duet.remote import Composed, Failed, Load, Loaded, Record, RemoteSeat, RemoteVoice, Speed
from duet.ring import Ring
from duet.singer import PATIENCE
from duet.wire import Wire

READY = 180.0
"""Seconds the models may take to load; the first time ever, kernels are compiled too."""
RESTARTS = 3
"""How often in a session a dead models' process is started again."""


@dataclass(frozen=True, slots=True)
class Loaders:
    """How the models' process gets its models; module-level functions, so that they pickle."""

    partner: Callable[[str], Partner]
    voice: Callable[[str], Voice]


class Models:
    """The process with partner and voice. `ring` is None when there is no sound."""

    def __init__(
        self,
        names: tuple[str, str],
        loaders: Loaders,
        ring: Ring | None,
        ahead: int,
        tell: Callable[[Loaded | Failed | Speed, bool], None],
    ) -> None:
        """names: (partner, voice). ahead: samples kept ready. `tell(item, is_voice)`: on the loop, all but answers."""
        self.seat = RemoteSeat()
        self.voice = RemoteVoice(ring) if ring else None
        self._names = list(names)
        self._loaders = loaders
        self._ring = ring
        self._ahead = ahead
        self._tell = tell
        self._deaths = 0
        self._record: Record | None = None
        self._process: BaseProcess | None = None
        self._awaited: dict[bool, asyncio.Future[Loaded | Failed]] = {}

    async def start(self) -> tuple[str, ...]:
        """Start the process and wait until its models are loaded; return the partner's styles. Raises DuetError."""
        loop = asyncio.get_running_loop()
        self._awaited = {False: loop.create_future()}
        if self.voice:
            self._awaited[True] = loop.create_future()
        waiting = list(self._awaited.values())
        self._spawn()
        try:
            results = await asyncio.wait_for(asyncio.gather(*waiting), READY)
        except TimeoutError:
            raise DuetError(
                f"the models did not load within {READY:.0f} s; is this machine very busy?"
            ) from None
        for result in results:
            if isinstance(result, Failed):
                raise DuetError(result.text)
        return results[0].styles if isinstance(results[0], Loaded) else ()

    def load(self, name: str, is_voice: bool) -> None:
        """Change the partner or the voice; `tell` hears when it is done."""
        wire = self.voice.wire if is_voice and self.voice else self.seat.wire
        if wire:
            wire.send(Load(name))

    def record(self, path: Path, zero: float) -> None:
        """Keep what the voice plays from now on in this .wav, whose first sample is of session time `zero`."""
        self._record = Record(path, zero)
        if self.voice and self.voice.wire:
            self.voice.wire.send(self._record)

    def close(self) -> None:
        """End the process."""
        for end in (self.seat, self.voice):
            if end and end.wire:
                end.wire.close()
                end.wire = None
        if self._process:
            self._process.join(timeout=2 * PATIENCE)
            if self._process.is_alive():
                self._process.terminate()
                self._process.join(timeout=1.0)
            if self._process.is_alive():
                self._process.kill()
            self._process = None

    def _spawn(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        voice_ours, voice_theirs = context.Pipe() if self._ring else (None, None)
        ring = (self._ring.name, self._ring.rate, self._ahead) if self._ring else None
        loaders = (self._loaders.partner, self._loaders.voice)
        arguments = (theirs, voice_theirs, tuple(self._names), ring, loaders)
        self._process = context.Process(target=run_models, args=arguments, name="duet-models", daemon=True)
        self._process.start()
        theirs.close()
        self.seat.wire = Wire(ours, lambda item: self._deliver(item, False), self._died)
        if self.voice and voice_ours and voice_theirs:
            voice_theirs.close()
            self.voice.wire = Wire(voice_ours, lambda item: self._deliver(item, True), lambda: None)
            if self._record:
                self.voice.wire.send(self._record)

    def _deliver(self, item: Any, is_voice: bool) -> None:
        if isinstance(item, Composed | Expectation) or (isinstance(item, Failed) and item.turn):
            self.seat.deliver(item)
            return
        if isinstance(item, Loaded):
            self._names[is_voice] = item.name
            if is_voice and self.voice:
                self.voice.delay = item.delay
        awaited = self._awaited.pop(is_voice, None) if isinstance(item, Loaded | Failed) else None
        if awaited and not awaited.done():
            awaited.set_result(item)
        else:
            self._tell(item, is_voice)

    def _died(self) -> None:
        """Every answer under way ends; a new process takes over with the same models and no memory."""
        self._deaths += 1
        again = self._deaths <= RESTARTS
        text = "the models' process died" + (
            "; starting it again" if again else f" {self._deaths} times; restart Duet"
        )
        for awaited in self._awaited.values():
            awaited.set_result(Failed(text))
        self._awaited.clear()
        self.seat.fail(text)
        self._tell(Failed(text), False)
        if self._ring:
            self._ring.cut()
        for end in (self.seat, self.voice):
            if end and end.wire:
                end.wire.close()
                end.wire = None
        if again:
            self._spawn()
