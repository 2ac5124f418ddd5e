"""The app: hands each piece of news to the widgets it concerns, and each key to the engine as a wish."""

import asyncio
import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter
from textual.screen import Screen

from duet.news import (
    Answered,
    Beat,
    Choose,
    Cut,
    Health,
    Level,
    ListTakes,
    Message,
    News,
    Played,
    Plugged,
    Press,
    Quit,
    Setup,
    Takes,
    Tap,
    Turned,
    Who,
    Wish,
)
from terminal_ui.actions import WISHES, bindings
from terminal_ui.banner import TurnBanner
from terminal_ui.beat import BeatLight
from terminal_ui.commands import commands
from terminal_ui.devices import Devices
from terminal_ui.dial import Dial
from terminal_ui.evenings import Evenings
from terminal_ui.folder import Folder
from terminal_ui.gauges import Gauges
from terminal_ui.help import Help
from terminal_ui.hints import Hints
from terminal_ui.keyboard import Keyboard
from terminal_ui.knobs import CHOICES, KNOBS, stops_of, value_of
from terminal_ui.link import Link
from terminal_ui.meter import Meter
from terminal_ui.notices import Notices
from terminal_ui.palette import palette_for
from terminal_ui.picker import Picker
from terminal_ui.roll import Roll
from terminal_ui.score import Score
from terminal_ui.standing import standing
from terminal_ui.view import PAST

FRAMES_PER_SECOND = 15
_PATIENCE = 2.0
"""Seconds that the engine has to hang up after we asked to quit."""
_TALL = 36
"""Lines of terminal from which there is room for the large letters."""


class DuetApp(App[None]):
    """The face of a running session. It owns no music: everything shown has come through the link."""

    CSS_PATH = "duet.tcss"
    TITLE = "duet"
    ALLOW_SELECT = False
    AUTO_FOCUS = "#temperature"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(),
        *(Binding(knob.key, f"step('{knob.setting}', 1)", show=False) for knob in KNOBS if knob.key),
        *(Binding(knob.key.upper(), f"step('{knob.setting}', -1)", show=False) for knob in KNOBS if knob.key),
        Binding("right", "mark(1)", show=False),
        Binding("left", "mark(-1)", show=False),
        Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True),
    ]

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        # With NO_COLOR Textual would turn colours to greys; in its ANSI mode it leaves them out.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._link = link
        self._clock = clock
        self._score = Score()
        self._setup: Setup | None = None
        self._plugged: Plugged | None = None
        self._heard = False
        self._leaving: float | None = None
        self._palette = palette_for(self.console.color_system, self.no_color)
        self.register_theme(self._palette.theme())
        self.theme = self._palette.name
        self._devices, self._banner, self._beat = Devices(), TurnBanner(), BeatLight()
        self._roll, self._meter = Roll(self._score, self._palette), Meter(self._palette)
        self._keyboard = Keyboard(self._palette, clock)
        self._dials = {knob.setting: Dial(knob) for knob in KNOBS}
        self._marked = self._dials["temperature"]
        self._gauges, self._notices, self._hints = Gauges(), Notices(), Hints()

    def compose(self) -> ComposeResult:
        """Top to bottom, by how far away it must be readable."""
        # Textual looks at every child of the screen when one changes: few of them, what moves apart from the rest.
        yield Vertical(self._devices, Horizontal(self._banner, self._beat, id="turn-band"), id="top")
        yield Horizontal(self._roll, self._meter, id="music")
        yield self._keyboard
        dials = list(self._dials.values())
        choices = Horizontal(*dials[:CHOICES], classes="settings")
        amounts = Horizontal(*dials[CHOICES:], classes="settings")
        yield Vertical(choices, amounts, self._gauges, self._notices, self._hints, id="bottom")

    def on_mount(self) -> None:
        """Draw from now on, and take an interrupt from outside for a wish to leave."""
        self.set_interval(1 / FRAMES_PER_SECOND, self.frame)
        self._stand()
        gc.collect()
        gc.freeze()  # what is there now stays to the end
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self.action_leave)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's way from a terminal's own colours to true ones is not needed: ours are true colours already."""
        return super().get_line_filters() if self._palette.shapes else []

    def on_resize(self) -> None:
        """Large letters where there is room."""
        self.screen_stack[0].set_class(self.size.height >= _TALL, "-tall")

    def frame(self) -> None:
        """Take what has come and draw this moment."""
        now = self._clock()
        for news in self._link.poll():
            self._take(news, now)
        if self._link.closed or (self._leaving is not None and now - self._leaving >= _PATIENCE):
            self.exit()
            return
        self._roll.show(now)
        self._keyboard.light(self._score.held(now))
        self._meter.show(now)
        self._beat.show(now)
        self._notices.show(now)

    def _take(self, news: News, now: float) -> None:
        match news:
            case Played(who, event):
                self._score.feed(who, event)
                self._score.forget(now - 2 * PAST)
                if who is Who.PLAYER and not self._heard:
                    self._heard = True
                    self._stand()
            case Cut(moment):
                self._score.cut(moment)
            case Turned(state, number):
                self._banner.turn(state, number)
            case Setup():
                self._settle(news)
            case Plugged():
                self._plugged = news
                self._show_plugs()
            case Takes():
                if isinstance(self.screen, Evenings):
                    self.screen.tell(news)
            case Answered():
                self._gauges.answered(news)
                self._banner.answered(f"answered in {round(news.wait * 1000)} ms")
            case Health():
                self._gauges.health(news)
            case Level(peak):
                self._meter.level(peak, now)
            case Beat():
                self._beat.beat(news)
            case Message():
                self._notices.say(news, now)
                if news.error:
                    for dial in self._dials.values():
                        dial.forget()

    def _settle(self, setup: Setup) -> None:
        self._setup = setup
        self._devices.plug(setup)
        self._meter.mute(setup.muted)
        for setting, dial in self._dials.items():
            dial.settle(value_of(dial.knob, setup), stops_of(dial.knob, setup), setup.learning == setting)
        self._show_plugs()

    def _show_plugs(self) -> None:
        if isinstance(self.screen, Picker):
            self.screen.plug(self._setup, self._plugged)
        self._stand()

    def _stand(self) -> None:
        """Say what the player had better know now."""
        self._hints.letters(self.playing_letters)
        typist = self._keyboard.typist if self.playing_letters else None
        self._notices.stand(standing(self._setup, self._plugged, typist, self._heard))

    @property
    def playing_letters(self) -> bool:
        """Whether the computer's keys play notes instead of giving commands."""
        return self.focused is self._keyboard

    def get_system_commands(self, screen: Screen[object]) -> Iterator[SystemCommand]:
        """Everything by its name, for the command palette."""
        run = self.run_action
        yield from commands(
            self._setup,
            self._plugged,
            lambda name: partial(self.call_later, run, name),
            lambda wish: partial(self._link.send, wish),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a dialogue the tab key is the dialogue's."""
        return action != "play" or len(self.screen_stack) == 1

    def on_dial_asked(self, asked: Dial.Asked) -> None:
        """Pass a setting on; the session decides."""
        self._link.send(Choose(asked.setting, asked.value))

    def on_keyboard_struck(self, struck: Keyboard.Struck) -> None:
        """Pass a note on; it comes back as played."""
        self._link.send(Press(struck.pitch, struck.velocity))

    def on_keyboard_shifted(self) -> None:
        """The letters play elsewhere now."""
        self._stand()

    def on_descendant_focus(self) -> None:
        """Remember which setting is marked, and say whether letters play."""
        if isinstance(self.focused, Dial):
            self._marked = self.focused
        self._stand()

    def action_wish(self, keys: str) -> None:
        """Ask the engine for what these keys mean."""
        self._link.send(WISHES[keys])

    def action_step(self, setting: str, by: int) -> None:
        """Ask for the next value of a setting."""
        self._dials[setting].action_turn(by)

    def action_mark(self, by: int) -> None:
        """Mark the next setting."""
        dials = list(self._dials.values())
        dials[(dials.index(self._marked) + by) % len(dials)].focus()

    def action_play(self) -> None:
        """Letters play notes, or are commands again."""
        (self._marked if self.playing_letters else self._keyboard).focus()

    def action_tap(self) -> None:
        """A tap of the tempo, now."""
        self._link.send(Tap(self._clock()))

    def action_learn(self) -> None:
        """Bind the next MIDI knob to the marked setting; if we are at it, leave it."""
        learning = self._setup is not None and self._setup.learning == self._marked.knob.setting
        self._link.send(Choose("learn", None if learning else self._marked.knob.setting))

    def action_devices(self) -> None:
        """Choose a device."""
        self.push_screen(Picker(self._setup, self._plugged), self._choose)

    def action_where(self) -> None:
        """Show, and perhaps change, where takes are kept."""
        folder = self._setup.takes if self._setup else ""
        self.push_screen(
            Folder(folder), lambda other: self._choose(Choose("takes", other) if other else None)
        )

    def action_takes(self) -> None:
        """Choose a kept take to hear."""
        self.push_screen(Evenings(), self._choose)
        self._link.send(ListTakes())

    def _choose(self, wish: Wish | None) -> None:
        if wish is not None:
            self._link.send(wish)

    def action_help(self) -> None:
        """Show the help."""
        self.push_screen(Help(self._palette.shapes))

    def action_leave(self) -> None:
        """Ask the engine to end; it hangs up when it has. The second time do not wait for it."""
        if self._leaving is not None:
            self.exit()
            return
        self._leaving = self._clock()
        self._link.send(Quit())
