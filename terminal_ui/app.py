"""The app: hands each piece of news to the widgets it concerns, and each key to the engine as a wish."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer

from duet.news import (
    Answered,
    Choose,
    Cut,
    HandOver,
    Health,
    Message,
    News,
    Panic,
    Played,
    Quit,
    Setup,
    Turned,
)
from terminal_ui.banner import TurnBanner
from terminal_ui.chooser import Chooser
from terminal_ui.devices import Devices
from terminal_ui.gauges import Gauges
from terminal_ui.help import Help
from terminal_ui.keyboard import Keyboard
from terminal_ui.link import Link
from terminal_ui.notices import Notices
from terminal_ui.palette import palette_for
from terminal_ui.roll import Roll
from terminal_ui.score import Score
from terminal_ui.view import PAST

FRAMES_PER_SECOND = 15
_PATIENCE = 2.0
"""Seconds that the engine has to hang up after we asked to quit."""
_TALL = 36
"""Lines of terminal from which there is room for the large letters."""
_TEMPERATURES = tuple(f"{tenths / 10:.1f}" for tenths in range(2, 21))


class DuetApp(App[None]):
    """The face of a running session. It owns no music: everything shown has come through the link."""

    CSS_PATH = "duet.tcss"
    TITLE = "duet"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "hand_over", "hand over", key_display="space"),
        Binding("escape", "panic", "panic", key_display="esc"),
        Binding("p", "step('partner', 1)", "partner", show=False),
        Binding("P", "step('partner', -1)", show=False),
        Binding("v", "step('voice', 1)", "voice", show=False),
        Binding("V", "step('voice', -1)", show=False),
        Binding("s", "step('style', 1)", "style", show=False),
        Binding("S", "step('style', -1)", show=False),
        Binding("plus,equals_sign,up", "step('temperature', 1)", "bolder", show=False),
        Binding("minus,down", "step('temperature', -1)", "safer", show=False),
        Binding("question_mark,f1", "help", "help", key_display="?"),
        Binding("q", "leave", "quit"),
        Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True),
    ]

    def __init__(self, link: Link, clock: Callable[[], float] = time.monotonic) -> None:
        # With NO_COLOR Textual would turn colours to greys; in its ANSI mode it leaves them out.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._link = link
        self._clock = clock
        self._score = Score()
        self._leaving: float | None = None
        self._palette = palette_for(self.console.color_system, self.no_color)
        self.register_theme(self._palette.theme())
        self.theme = self._palette.name
        self._devices, self._banner = Devices(), TurnBanner()
        self._roll, self._keyboard = Roll(self._score, self._palette), Keyboard(self._palette)
        self._choosers = {
            "partner": Chooser("partner", "p"),
            "voice": Chooser("voice", "v"),
            "style": Chooser("style", "s", empty="like me"),
            "temperature": Chooser("temperature", "±", short="temp", around=False),
        }
        self._gauges, self._notices = Gauges(), Notices()

    def compose(self) -> ComposeResult:
        """Top to bottom, by how far away it must be readable."""
        yield self._devices
        yield self._banner
        yield self._roll
        yield self._keyboard
        with Horizontal(id="settings"):
            yield from self._choosers.values()
        yield self._gauges
        yield self._notices
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Draw from now on, and take an interrupt from outside for a wish to leave."""
        self.set_interval(1 / FRAMES_PER_SECOND, self.frame)
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self.action_leave)

    def on_resize(self) -> None:
        """Large letters where there is room."""
        self.screen.set_class(self.size.height >= _TALL, "-tall")

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
        self._notices.fade(now)

    def _take(self, news: News, now: float) -> None:
        match news:
            case Played(who, event):
                self._score.feed(who, event)
                self._score.forget(now - 2 * PAST)
            case Cut(moment):
                self._score.cut(moment)
            case Turned(state, number):
                self._banner.turn(state, number)
            case Setup():
                self._settle(news)
            case Answered():
                self._gauges.answered(news)
                self._banner.answered(f"answered in {round(news.wait * 1000)} ms")
            case Health():
                self._gauges.health(news)
            case Message():
                self._notices.say(news, now)
                if news.error:
                    for chooser in self._choosers.values():
                        chooser.forget()

    def _settle(self, setup: Setup) -> None:
        self._devices.plug(setup)
        self._choosers["partner"].settle(setup.partner, setup.partners)
        self._choosers["voice"].settle(setup.voice, setup.voices)
        self._choosers["style"].settle(setup.settings.character.style, setup.styles)
        self._choosers["temperature"].settle(f"{setup.settings.character.temperature:.1f}", _TEMPERATURES)

    def on_chooser_asked(self, asked: Chooser.Asked) -> None:
        """Pass a setting on; the session decides."""
        value = float(asked.value) if asked.setting == "temperature" else asked.value
        self._link.send(Choose(asked.setting, value))

    def action_step(self, setting: str, by: int) -> None:
        """Ask for the next value of a setting."""
        self._choosers[setting].step(by)

    def action_hand_over(self) -> None:
        """Give the turn away."""
        self._link.send(HandOver())

    def action_panic(self) -> None:
        """Silence."""
        self._link.send(Panic())

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
