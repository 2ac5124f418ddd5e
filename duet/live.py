"""Live play: the engine's process. Wires devices, session, models and face; ends them cleanly."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from duet.clock import ClockIn
from duet.conductor import Conductor, Outlets
from duet.controls import Controls
from duet.devices import Devices
from duet.errors import FileError
from duet.face import Face
from duet.grants import Grants
from duet.latency import Early
from duet.live_options import LiveOptions
from duet.models_handle import Loaders, Models
from duet.news import Choose, Health, Level, Message, News, Played, Plugged, Quit, Setup, Turned, Who, Wish
from duet.policies import OFFERED
from duet.ports import MidiOut
from duet.remote import Failed, Loaded, Pulse, RemoteVoice, Speed
from duet.request import Settings
from duet.session import Session
from duet.settings_file import CONTROLS, save_table
from duet.styles import settle_style
from duet.take_keeper import TakeKeeper
from duet.takes import recover
from duet.voice_out import VoiceOut

logger = logging.getLogger(__name__)

STATES = {"IDLE": 0, "CALL": 64, "RESPONSE": 127}
"""What a controller's light is told: nobody plays, Duet listens, Duet answers."""
HEALTH = 1.0
"""Seconds between health news."""
AHEAD, MONITOR_AHEAD = 0.045, 0.02
"""Seconds of sound kept ready beyond the device's own block; less where the player's own keys are to be heard."""
LEVEL = 0.1
"""Seconds between tellings of how loud the voice is."""


class Engine:
    """One evening. `show(news)` is told everything, besides the face."""

    def __init__(self, options: LiveOptions, loaders: Loaders, show: Callable[[News], None]) -> None:
        self._options = options
        self._loaders = loaders
        self._show = show
        self._face: Face | None = None
        self._take: TakeKeeper | None = None
        self._devices: Devices | None = None
        self._session: Session | None = None
        self._grants: Grants | None = None
        self._conductor: Conductor | None = None
        self._voice: VoiceOut | None = None
        self._ended = asyncio.Event()
        self._speed = 0.0
        self._told_slow = False
        self._closing = contextlib.ExitStack()

    @property
    def sound_died(self) -> bool:
        """True once the audio device or the sound server has gone away."""
        return self._devices is not None and self._devices.sound.server_died

    async def run(self) -> None:
        """Play until the player quits or a signal ends it. Raises DuetError if it cannot begin."""
        sys.setswitchinterval(0.0005)  # the callback and the sender must not wait 5 ms for this interpreter
        with self._signals(), self._closing:  # a second Ctrl-C must not interrupt the closing
            await self._plug_in()
            assert self._session and self._conductor
            gc.collect()
            gc.freeze()  # a full collection would make notes 20 ms late
            playing = asyncio.create_task(self._session.run())
            ended = asyncio.create_task(self._ended.wait())
            others = [self._report_health(), self._report_level(), self._conductor.run()]
            tasks = [playing, ended, *(asyncio.create_task(other) for other in others)]
            await asyncio.wait({playing, ended}, return_when=asyncio.FIRST_COMPLETED)
            self._conductor.close()
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result

    async def _plug_in(self) -> None:
        options, closing, studio = self._options, self._closing, self._options.studio
        wanted = (options.port, options.out, options.audio)
        devices = self._devices = Devices(wanted, studio, self._say, self._plugged)
        closing.callback(devices.close)
        closing.callback(self._report_punctuality)
        for path in recover(options.takes) if options.takes.is_dir() else []:
            logger.info("recovered the take %s", path)
        self._take = TakeKeeper(options.takes, lambda text: self._say(text, True))
        closing.callback(self._close_take)
        names = (options.partner, options.voice)
        lead = MONITOR_AHEAD if studio.monitor else AHEAD
        ahead = studio.buffer + round(lead * devices.sound.ring.rate) if devices.sound.ring else 0
        models = Models(names, self._loaders, devices.sound.ring, ahead, self._hear_models)
        closing.callback(models.close)
        if not options.headless:
            self._face = Face(self._wish, self._ended.set, options.log)
            await self._face.start()
            closing.callback(self._face.close)
        styles = await models.start()
        style, told = settle_style(options.character.style, options.partner, styles, options.insists_on_style)
        early = studio.latency_out.longest
        outs: list[MidiOut] = [Early(devices.sender, studio.latency_out) if early else devices.sender]
        if models.voice:
            delay = partial(_delay, models.voice, devices)
            self._voice = VoiceOut(models.voice, studio.monitor, delay, models.voice.tell_early)
            self._take.record = models.record if options.wav else None
            outs.append(self._voice)
            devices.sound.came_back = self._voice.silence
        elif options.wav:
            self._say("there is no sound, so none is recorded", True)
        settings = Settings(replace(options.character, style=style), options.seed, options.length)
        session = self._session = Session(
            devices.keyboard, models.seat, outs, self._observe, settings, early=early
        )
        conductor = self._conductor = self._make_conductor(session, devices)
        setup = Setup(
            devices.keyboard_name, devices.midi.name, devices.sound.name, options.partner, options.partners,
            options.voice if models.voice else "", options.voices, ("", *styles), settings,
            options.turn, OFFERED, metronome=studio.metronome, takes=str(options.takes),
        )  # fmt: skip
        self._grants = Grants(
            session, models, devices, conductor, self._voice, setup, self._observe, self._keep_controls
        )
        self._observe(setup)
        self._observe(devices.could_be_plugged())  # the first look was before the face was there
        self._grants.choose_turn(options.turn)
        self._observe(Turned(session.turn.state.name, 0, time.monotonic()))
        for line in (devices.sound.problem, *devices.waiting):
            if line:
                self._say(line, True)
        if told:
            self._say(told)
        self._grants.learn(studio.learn)

    def _make_conductor(self, session: Session, devices: Devices) -> Conductor:
        studio = self._options.studio
        source = None if studio.clock == "internal" else ClockIn(studio.beats_in_bar)
        outlets = Outlets(
            session.follow, session.panic, self._observe,
            devices.sender.schedule if studio.clock_out else None, devices.sender.unschedule, devices.click,
        )  # fmt: skip
        conductor = Conductor(source, studio.bpm, studio.metronome, outlets, studio.beats_in_bar)
        devices.on_clock = conductor.hear
        return conductor

    def _keep_controls(self, controls: Controls) -> None:
        path = self._options.studio.settings_path
        if path:
            try:
                save_table(path, CONTROLS, controls.table())
            except FileError as error:
                self._say(f"learnt for this session only: {error}", True)

    def _plugged(self, news: Plugged) -> None:
        self._observe(news)
        if self._grants and self._devices:
            self._grants.change_setup(midi_in=self._devices.keyboard_name, midi_out=self._devices.midi.name)

    def _observe(self, news: News) -> None:
        if self._take:
            self._take.observe(news)
        if self._face:
            self._face.observe(news)
        match news:
            case Played(Who.PLAYER, event) if self._voice:
                self._voice.play(event)
            case Turned(state) if self._devices:
                self._devices.tell_state(STATES[state])
        self._show(news)

    def _say(self, text: str, error: bool = False) -> None:
        self._observe(Message(text, error))

    def _wish(self, wish: Wish) -> None:
        if isinstance(wish, Quit):
            self._ended.set()
        elif self._grants is None:
            pass  # still loading
        elif isinstance(wish, Choose) and wish.setting == "takes":
            self._record_to(Path(str(wish.value)).expanduser())
        else:
            self._grants.grant(wish)

    def _record_to(self, folder: Path) -> None:
        """End this take, and begin another in that folder."""
        assert self._grants and self._take
        try:
            done = self._take.move(folder)
        except FileError as error:
            self._say(str(error), True)
            return
        self._grants.change_setup(takes=str(folder))
        self._say(done)

    def _hear_models(self, item: Loaded | Failed | Speed, is_voice: bool) -> None:
        match item:
            case Failed(text):
                self._say(text, True)
            case Speed(factor):
                if 0 < factor < 1 and not self._told_slow:
                    self._told_slow = True
                    self._say("this machine is too slow for the voice: try sine, or `duet doctor`", True)
                self._speed = factor
            case Loaded(name) if self._grants and is_voice:
                self._grants.change_setup(voice=name)
            case Loaded(name, styles) if self._grants:
                self._grants.partner_changed(name, styles)

    async def _report_health(self) -> None:
        assert self._devices is not None
        ring, pulse = self._devices.sound.ring, Pulse()
        while True:
            await asyncio.sleep(HEALTH)
            if ring and (text := pulse.check(ring.written, ring.fill)):
                self._say(text, "stalled" in text)
            self._observe(Health(self._devices.underruns, self._speed))
            self._devices.sound.check()

    async def _report_level(self) -> None:
        assert self._devices is not None
        ring, was = self._devices.sound.ring, 0.0
        while ring:
            await asyncio.sleep(LEVEL)
            peak = ring.peak(LEVEL)
            if peak > 0.001 or was > 0:
                was = peak if peak > 0.001 else 0.0
                self._observe(Level(was))

    def _report_punctuality(self) -> None:
        """Say, at the end, how well time was kept."""
        assert self._devices is not None
        late = sorted(self._devices.sender.lateness)
        parts = []
        if late:
            p50, p95, p99 = (1000 * late[int(share * (len(late) - 1))] for share in (0.5, 0.95, 0.99))
            times = f"{p50:.2f} ms p50, {p95:.2f} p95, {p99:.2f} p99"
            parts.append(f"{len(late)} MIDI events sent, late by {times}")
        if self._devices.sound.speaker:
            parts.append(f"{self._devices.underruns} audio underruns")
        if parts:
            logger.info("; ".join(parts))
            self._show(Message("; ".join(parts)))
            self._show(Message("; ".join(parts)))

    def _close_take(self) -> None:
        if self._take and (text := self._take.close()):
            logger.info(text)
            self._show(Message(text))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the evening as quitting does; while it ends, and after, they are too late."""
        loop = asyncio.get_running_loop()
        taken = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the run instead
                loop.add_signal_handler(number, self._ended.set)
                taken.append(number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)  # else a traceback out of the interpreter's own ending


def _delay(voice: RemoteVoice, devices: Devices) -> float:
    """Seconds from the time of an event to its sound."""
    return voice.delay + (devices.sound.speaker.latency if devices.sound.speaker else 0.0)


async def play_live(options: LiveOptions, loaders: Loaders, show: Callable[[News], None]) -> None:
    """Play an evening; see `Engine`."""
    engine = Engine(options, loaders, show)
    await engine.run()
    if engine.sound_died:  # the libraries of a dead sound server abort in their own exit handlers
        sys.stdout.flush()
        os._exit(0)
