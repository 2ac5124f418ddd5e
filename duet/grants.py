"""Grants the player's wishes: what is asked for in the face or on a bound knob is done here, and told to all."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from duet.conductor import Conductor
from duet.controls import RANGES, TARGETS, Control, Controls
from duet.devices import Devices
from duet.errors import DuetError
from duet.mixture import Mixture
from duet.models_handle import Models
from duet.news import (
    Again,
    Choose,
    HandOver,
    Keep,
    Kept,
    ListTakes,
    Message,
    Metronome,
    Mute,
    News,
    Panic,
    Press,
    Quit,
    Replay,
    Setup,
    Tap,
    Wish,
)  # fmt: skip
from duet.phrase_end import Bars, Explicit
from duet.policies import policy_named
from duet.route import Bytes
from duet.session import Session
from duet.shelf import Shelf
from duet.voice_out import VoiceOut

PRESSED = 0.3
"""Seconds a key of the computer's keyboard stays down, since its release is not told."""


class Grants:
    """Wishes in, deeds on session, models and devices out. `observe` is told of each change of the setup."""

    def __init__(
        self,
        session: Session,
        models: Models,
        devices: Devices,
        conductor: Conductor,
        voice: VoiceOut | None,
        setup: Setup,
        observe: Callable[[News], None],
        keep_controls: Callable[[Controls], None],
    ) -> None:
        """keep_controls is given what has been learnt."""
        self.setup = setup
        self._session = session
        self._models = models
        self._devices = devices
        self._conductor = conductor
        self._voice = voice
        self._observe = observe
        self._keep_controls = keep_controls
        self._shelf = Shelf(session, observe)
        self._to_learn: list[str] = []
        devices.on_moved = self._moved

    def grant(self, wish: Wish) -> None:
        """Do what is asked for, or say why not."""
        match wish:
            case HandOver():
                self._session.hand_over()
            case Panic():
                self._session.panic()
                self._devices.sender.panic()
            case Choose(setting, value):
                self._choose(setting, value)
            case Again():
                self._session.again()
            case Replay(""):
                self._session.replay()
            case Replay(path):
                self._shelf.play(Path(path))
            case ListTakes():
                self._shelf.tell(Path(self.setup.takes))
            case Keep():
                self._observe(Kept())
                self._observe(Message("kept: `duet takes` shows the mark"))
            case Mute() if self._voice:
                self._voice.mute(not self._voice.muted)
                self._echo("mute", self._voice.muted)
                self.change_setup(muted=self._voice.muted)
            case Metronome():
                self._conductor.set_metronome(not self._conductor.metronome)
                self._echo("metronome", self._conductor.metronome)
                self.change_setup(metronome=self._conductor.metronome)
            case Tap(when):
                self._conductor.tap(when)
            case Press(pitch, velocity):
                self._devices.keyboard.press((0x90, pitch, velocity))
                later = asyncio.get_running_loop().call_later
                later(PRESSED, self._devices.keyboard.press, (0x80, pitch, 0))
            case Quit():
                pass  # the engine's own business
            case _:
                self._say(f"{wish} is nothing that can be done yet", True)

    def learn(self, targets: tuple[str, ...]) -> None:
        """Bind these, one after the other, to the knobs and pads that are moved next."""
        self._to_learn = list(targets)
        self._ask_for_next()

    def choose_turn(self, name: str) -> None:
        """Take turns by another policy; bars need a clock, so ours starts if none is followed. Raises ValueError."""
        policy = policy_named(name)
        self._session.choose_policy(policy)
        self._devices.router.hand_over = policy if isinstance(policy, Explicit) else Explicit.usual()
        if isinstance(policy, Bars) and self._session.turn.tempo is None:
            if self._conductor.follows:
                self._say(f"{policy} begins with the clock; until then it is {policy.otherwise}")
            else:
                self._conductor.set_metronome(True)
                self.change_setup(metronome=True)
        self.change_setup(turn=str(policy))

    def change_setup(self, **changes: object) -> None:
        """Something is plugged in or chosen: tell everybody."""
        changed = replace(self.setup, **changes)  # type: ignore[arg-type]
        if changed != self.setup:
            self.setup = changed
            self._observe(self.setup)

    def partner_changed(self, name: str, styles: tuple[str, ...]) -> None:
        """Another partner has sat down; a style it does not know goes."""
        style = self._session.settings.character.style
        self._session.change(style=style if style in styles else "")
        self.change_setup(partner=name, styles=("", *styles), settings=self._session.settings)

    def _choose(self, setting: str, value: str | float | None) -> None:
        try:
            match setting, value:
                case "partner" | "voice", str(name):
                    self._models.load(name, setting == "voice")
                case "blend", (float() | int()) as position:
                    self._models.load(str(Mixture.read(self.setup.voice).blended(position)), True)
                    self._echo("blend", position)
                case "style", name if name and name not in self.setup.styles:
                    self._say(f"the partner knows no style {name!r}", True)
                case "port", (str() | None) as name:
                    self._devices.change_port(name)
                    self.change_setup(midi_in=self._devices.keyboard_name)
                case "out", (str() | None) as name:
                    self._devices.change_out(name)
                    self.change_setup(midi_out=self._devices.midi.name)
                case "audio", (str() | None) as name:
                    self._devices.sound.change(name)
                    self.change_setup(audio=self._devices.sound.name)
                case "turn", str(name):
                    self.choose_turn(name)
                case "bpm", (float() | int()) as bpm:
                    self._conductor.set_bpm(bpm)
                    self._echo("bpm", bpm)
                case "learn", target:
                    self.learn((target,) if isinstance(target, str) and target else ())
                case _:
                    self._session.change(**{setting: value})
                    self.change_setup(settings=self._session.settings)
                    if setting in RANGES and isinstance(value, int | float):
                        self._echo(setting, value)
        except (TypeError, ValueError, DuetError) as error:
            self._say(f"{setting} stays as it is: {error}", True)

    def _moved(self, message: Bytes, when: float) -> None:
        """A bound knob or pad has moved, or one that is to be bound."""
        router = self._devices.router
        if self._to_learn and router.learning:
            target = self._to_learn.pop(0)
            control = Control.of(message)
            router.controls = router.controls.bind(target, control)
            self._keep_controls(router.controls)
            self._say(f"{target} is on {control} now")
            self._ask_for_next()
            return
        for wish in router.controls.wishes(message, when):
            self.grant(wish)

    def _ask_for_next(self) -> None:
        router = self._devices.router
        if self._to_learn and self._to_learn[0] not in TARGETS:
            unknown = self._to_learn.pop(0)
            self._say(f"{unknown!r} cannot be bound to a knob; choose from {', '.join(TARGETS)}", True)
            self._ask_for_next()
            return
        router.learning = bool(self._to_learn)
        self.change_setup(learning=self._to_learn[0] if self._to_learn else "")
        if self._to_learn:
            self._say(f"move the knob or strike the pad for {self._to_learn[0]}")

    def _echo(self, target: str, value: float) -> None:
        """Tell a controller with lights or motors how a setting stands."""
        for message in self._devices.router.controls.echo(target, value):
            self._devices.sender.schedule(message, time.monotonic())

    def _say(self, text: str, error: bool = False) -> None:
        self._observe(Message(text, error))
