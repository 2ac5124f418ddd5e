"""A face without an engine: the test is the engine, and the clock stands still until the test moves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from textual.pilot import Pilot

from duet.news import News, Plugged, Setup, Wish
from duet.request import Character, Settings
from terminal_ui.app import DuetApp
from terminal_ui.keyboard import Keyboard
from terminal_ui.roll import GUTTER, Roll
from terminal_ui.view import TimeScale

NOW = 1000.0
SETUP = Setup(
    midi_in="Launchkey 49",
    midi_out="Duet",
    audio="Built-in Audio, 48 kHz",
    partner="neural",
    partners=("neural", "markov"),
    voice="piano",
    voices=("piano", "sine"),
    styles=("", "classical", "jazz"),
    settings=Settings(Character()),
    turns=("adaptive", "fixed", "bars"),
    takes="/home/ada/Music/Duet",
)
PLUGGED = Plugged(("Launchkey 49", "Digital Piano"), ("Duet", "Synth"), ("Built-in Audio, 48 kHz", "USB"))


class ScriptedLink:
    """A link whose engine is the test."""

    def __init__(self, *news: News) -> None:
        self.news = list(news)
        self.wishes: list[Wish] = []
        self.hung_up = False

    @property
    def closed(self) -> bool:
        return self.hung_up and not self.news

    def poll(self) -> list[News]:
        news, self.news = self.news, []
        return news

    def send(self, wish: Wish) -> None:
        self.wishes.append(wish)


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def screen_of(app: DuetApp) -> list[str]:
    lines = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in line) for line in lines]


def text_on(app: DuetApp, widget: type) -> str:
    return app.query_one(widget).render().plain


@dataclass
class Shown:
    """A face on a terminal."""

    app: DuetApp
    link: ScriptedLink
    pilot: Pilot[None]
    clock: Clock

    async def tell(self, *news: News) -> None:
        """Let the engine tell these, and draw."""
        self.link.news += news
        self.app.frame()
        await self.pilot.pause()

    async def press(self, *keys: str) -> list[Wish]:
        """Press these keys; what was wished for then."""
        self.link.wishes.clear()
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return list(self.link.wishes)


@asynccontextmanager
async def shown(*news: News, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Shown]:
    """A face that has been told these news and has drawn them."""
    link, clock = ScriptedLink(), Clock()
    app = DuetApp(link, clock)
    async with app.run_test(size=size) as pilot:
        face = Shown(app, link, pilot, clock)
        await face.tell(*news)
        yield face


def changed(**fields: object) -> Setup:
    return replace(SETUP, **fields)


def backgrounds(app: DuetApp) -> list[str]:
    """The background of each run of cells on the keyboard, as the terminal would get it."""
    region = app.query_one(Keyboard).region
    found = []
    for line in app.screen._compositor.render_strips()[region.y : region.bottom]:
        for segment in line:
            colour = segment.style.bgcolor if segment.style else None
            found.append("default" if colour is None or colour.is_default else colour.get_truecolor().hex)
    return found


def ahead_of_now(app: DuetApp) -> str:
    """The characters right of the now-line."""
    region = app.query_one(Roll).region
    now = TimeScale(region.width - GUTTER, NOW).now_column + GUTTER + 1
    return "\n".join(line[now:] for line in screen_of(app)[region.y : region.bottom])
