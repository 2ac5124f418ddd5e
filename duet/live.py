"""Live play: the engine's process. Wires keyboard, session, MIDI out, sound, models and face; ends them cleanly."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import rtmidi

from duet.audio import BLOCK, RingSpeaker, choose_device
from duet.errors import AudioError, DuetError, MidiError, PortNotFound
from duet.face import Face
from duet.keyboard import Keyboard
from duet.midi_ports import OURS, Port, choose, list_ports, working_apis
from duet.models_handle import Loaders, Models
from duet.news import Choose, HandOver, Health, Message, News, Panic, Quit, Setup, Turned, Wish
from duet.ports import MidiOut
from duet.remote import Failed, Loaded, Speed
from duet.request import Character, Settings
from duet.ring import Ring
from duet.sender import MidiPort, Sender
from duet.session import Session
from duet.takes import Take, recover
from duet.turn import HandOver as HandTheTurn

logger = logging.getLogger(__name__)

HEALTH = 1.0
"""Seconds between health news."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line asks for; None is "you choose"."""

    port: str | None
    out: str | None
    voice: str
    partner: str
    audio: str | None
    headless: bool
    character: Character
    seed: int
    length: float
    takes: Path
    log: Path
    """Where native libraries print to while the face has the terminal."""
    partners: tuple[str, ...]
    voices: tuple[str, ...]


class Engine:
    """One evening. `show(news)` is told everything, besides the face."""

    def __init__(self, options: LiveOptions, loaders: Loaders, show: Callable[[News], None]) -> None:
        self._options = options
        self._loaders = loaders
        self._show = show
        self._face: Face | None = None
        self._take: Take | None = None
        self._speaker: RingSpeaker | None = None
        self._ring: Ring | None = None
        self._models: Models | None = None
        self._session: Session | None = None
        self._setup: Setup | None = None
        self._ended = asyncio.Event()
        self._speed = 0.0
        self._underruns = 0
        self.sound_died = False
        """True once the device or the sound server has gone away."""
        self._closing = contextlib.ExitStack()

    async def run(self) -> None:
        """Play until the player quits or a signal ends it. Raises DuetError if it cannot begin."""
        sys.setswitchinterval(0.0005)  # the callback and the sender must not wait 5 ms for this interpreter
        with self._closing, self._signals():
            await self._plug_in()
            assert self._session is not None
            gc.collect()
            gc.freeze()  # a full collection would make notes 20 ms late
            playing = asyncio.create_task(self._session.run())
            ended = asyncio.create_task(self._ended.wait())
            health = asyncio.create_task(self._report_health())
            await asyncio.wait({playing, ended}, return_when=asyncio.FIRST_COMPLETED)
            for task in (playing, ended, health):
                task.cancel()
            results = await asyncio.gather(playing, ended, health, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result

    async def _plug_in(self) -> None:
        options, closing = self._options, self._closing
        keyboard = Keyboard(self._find_keyboard(), self._say)
        self._on_exit(keyboard.close)
        midi = self._midi = self._open_midi_out()
        sender = self._sender = Sender(midi.write)
        self._on_exit(midi.close)
        closing.callback(self._report_punctuality)
        closing.callback(sender.close)
        for path in recover(options.takes) if options.takes.is_dir() else []:
            logger.info("recovered the take %s", path)
        self._take = Take(options.takes, lambda text: self._say(text, True))
        closing.callback(self._close_take)
        audio, problem = self._open_audio()
        self._models = Models(
            (options.partner, options.voice), self._loaders, self._ring, BLOCK, self._hear_models
        )
        closing.callback(self._models.close)
        if not options.headless:
            self._face = Face(self._grant, self._ended.set, options.log)
            await self._face.start()
            closing.callback(self._face.close)
        styles = await self._models.start()
        style = options.character.style
        if style and style not in styles:
            known = ", ".join(styles) or "no style at all"
            raise DuetError(f"the partner {options.partner!r} knows no style {style!r}; it knows {known}")
        outs: list[MidiOut] = [sender]
        if self._models.voice:
            outs.append(self._models.voice)
        settings = Settings(options.character, options.seed, options.length)
        self._session = Session(keyboard, self._models.seat, outs, self._observe, settings)
        self._setup = Setup(
            keyboard.name, midi.name, audio, options.partner, options.partners,
            options.voice if self._models.voice else "", options.voices, ("", *styles), settings,
        )  # fmt: skip
        self._observe(self._setup)
        self._observe(Turned(self._session.turn.state.name, 0, time.monotonic()))
        if problem:
            self._say(problem, True)

    def _on_exit(self, close: Callable[[], None]) -> None:
        """Close a device at the end, unless its server is dead: then its library would crash in closing it."""
        self._closing.callback(lambda: None if self.sound_died else close())

    def _find_keyboard(self) -> Port | None:
        """The port asked for; else the only keyboard there is; else None: open a port to be connected to."""
        ports = list_ports(rtmidi.MidiIn)
        if self._options.port is not None:
            return choose(self._options.port, ports, "MIDI input")
        keyboards = [port for port in ports if port.is_device]
        return keyboards[0] if len(keyboards) == 1 else None

    def _open_midi_out(self) -> MidiPort:
        wanted = self._options.out
        if wanted is None or wanted.casefold() == OURS.casefold():  # our own name is always our own port
            return MidiPort(None, wanted or OURS)
        try:
            return MidiPort(choose(wanted, list_ports(rtmidi.MidiOut), "MIDI output"), wanted)
        except PortNotFound as error:
            if wanted.isdecimal() or "could be any" in str(error):
                raise
            return MidiPort(None, wanted)

    def _open_audio(self) -> tuple[str, str]:
        """Open the device; return its name and, where there is none, why."""
        if self._options.audio == "none":
            return "off", ""
        try:
            device = choose_device(self._options.audio)
            self._ring = Ring(device.rate)
            self._closing.callback(self._ring.close)
            self._speaker = RingSpeaker(device, self._ring)
            self._on_exit(self._speaker.close)
        except AudioError as error:
            self._ring = None
            if self._options.audio is not None:
                raise
            return "none", f"playing MIDI without sound: {error}"
        return device.name, ""

    def _observe(self, news: News) -> None:
        if self._take:
            self._take.observe(news)
        if self._face:
            self._face.observe(news)
        self._show(news)

    def _say(self, text: str, error: bool = False) -> None:
        self._observe(Message(text, error))

    def _hear_models(self, item: Loaded | Failed | Speed, is_voice: bool) -> None:
        match item:
            case Failed(text):
                self._say(text, True)
            case Speed(factor):
                self._speed = factor
            case Loaded(name) if self._setup and is_voice:
                self._change_setup(voice=name)
            case Loaded(name, styles) if self._setup and self._session:
                style = self._session.settings.character.style
                self._session.change(style=style if style in styles else "")
                self._change_setup(partner=name, styles=("", *styles), settings=self._session.settings)

    def _grant(self, wish: Wish) -> None:
        """Do what the player asks in the face."""
        if isinstance(wish, Quit):
            self._ended.set()
        elif self._session is None or self._models is None or self._setup is None:
            return  # still loading
        else:
            match wish:
                case HandOver():
                    self._session.feed(HandTheTurn(time.monotonic()))
                case Panic():
                    self._session.panic()
                case Choose("partner" | "voice" as setting, str(value)):
                    self._models.load(value, setting == "voice")
                case Choose("style", value) if value and value not in self._setup.styles:
                    self._say(f"the partner knows no style {value!r}", True)
                case Choose(setting, value):
                    try:
                        self._session.change(**{setting: value})
                        self._change_setup(settings=self._session.settings)
                    except (TypeError, ValueError) as error:
                        self._say(f"{setting} stays as it is: {error}", True)
                case _:
                    self._say(f"{wish} is nothing that can be done yet", True)

    def _change_setup(self, **changes: object) -> None:
        assert self._setup is not None
        self._setup = replace(self._setup, **changes)  # type: ignore[arg-type]
        self._observe(self._setup)

    async def _report_health(self) -> None:
        while True:
            await asyncio.sleep(HEALTH)
            self._underruns = self._ring.underruns if self._ring else 0
            self._observe(Health(self._underruns, self._speed))
            try:
                if change := self._midi.check():
                    self._say(change, "gone" in change)
            except MidiError as error:
                logger.debug("no MIDI system for now: %s", error)
            if self._speaker and not self._speaker.active and not self.sound_died:
                self.sound_died = True
                self._say(self._what_died(self._speaker.device.name), True)

    @staticmethod
    def _what_died(device: str) -> str:
        try:
            working_apis()
        except MidiError:
            return f"{device} has stopped, and MIDI with it: restart the sound server, then Duet"
        return f"{device} has stopped: MIDI goes on; restart Duet for sound"

    def _report_punctuality(self) -> None:
        """Say, at the end, how well time was kept."""
        late = sorted(self._sender.lateness)
        if late:
            p50, p99 = (1000 * late[int(share * (len(late) - 1))] for share in (0.5, 0.99))
            sound = f"; {self._underruns} audio underruns" if self._speaker else ""
            self._show(
                Message(f"{len(late)} MIDI events sent, late by {p50:.2f} ms p50, {p99:.2f} ms p99{sound}")
            )

    def _close_take(self) -> None:
        if self._take and (path := self._take.close()):
            logger.info("the take is %s", path)
            self._show(Message(f"take saved: {path}"))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the evening as quitting does."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the run instead
                loop.add_signal_handler(number, self._ended.set)
        yield
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)


async def play_live(options: LiveOptions, loaders: Loaders, show: Callable[[News], None]) -> None:
    """Play an evening; see `Engine`."""
    engine = Engine(options, loaders, show)
    await engine.run()
    if engine.sound_died:  # the libraries of a dead sound server abort in their own exit handlers
        sys.stdout.flush()
        os._exit(0)
