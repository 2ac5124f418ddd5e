"""What reaches whom from the keyboard's thread, with ports of our own in the place of real ones."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from duet.keyboard import Ears, Keyboard
from duet.note import Event, NoteOff, NoteOn
from duet.plug import Plug
from duet.route import Bytes, Route, Router


class Port(Plug):
    """A port whose messages the test sends."""

    def __init__(self) -> None:
        self.losses = 0
        self.messages: deque[list[int]] = deque()

    @property
    def name(self) -> str:
        return "Nord"

    def receive(self) -> list[int] | None:
        return self.messages.popleft() if self.messages else None


class Heard:
    """Everything that comes out of a keyboard."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.through: list[Bytes] = []
        self.clock: list[Bytes] = []

    def ears(self) -> Ears:
        return Ears(
            self.through.append, lambda message, when: None, lambda message, when: self.clock.append(message)
        )


async def until(condition: Callable[[], object]) -> None:
    """Let the keyboard's thread do its work."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  a thread tells no event
            await asyncio.sleep(0.002)


def play(
    story: Callable[[Keyboard, Port, Heard], object], clock_on_keys: bool = False, latency: float = 0.0
) -> Heard:
    """A keyboard through a story, closed at its end."""
    heard, port = Heard(), Port()

    async def main() -> None:
        router = Router(Route(thru=True))
        keyboard = Keyboard([port], None, router, heard.ears(), latency, clock_on_keys)

        async def listen() -> None:
            async for event in keyboard:
                heard.events.append(event)

        listening = asyncio.create_task(listen())
        await story(keyboard, port, heard)  # type: ignore[misc]
        keyboard.close()
        await listening

    asyncio.run(main())
    return heard


def test_a_key_is_stamped_heard_and_passed_through() -> None:
    async def story(keyboard: Keyboard, port: Port, heard: Heard) -> None:
        port.messages.append([0x90, 60, 80])
        await until(lambda: heard.events)

    before = time.monotonic()
    heard = play(story, latency=0.5)
    (event,) = heard.events
    assert isinstance(event, NoteOn)
    assert before - 0.5 <= event.time <= time.monotonic() - 0.5, "what the keyboard itself takes is taken off"
    assert heard.through == [(0x90, 60, 80)]


def test_a_computers_key_is_a_key() -> None:
    async def story(keyboard: Keyboard, port: Port, heard: Heard) -> None:
        keyboard.press((0x90, 62, 80))
        keyboard.press((0x80, 62, 0))
        await until(lambda: len(heard.events) == 2)

    assert [type(event) for event in play(story).events] == [NoteOn, NoteOff]


def test_what_is_down_comes_up_when_the_port_is_lost_or_changed() -> None:
    async def story(keyboard: Keyboard, port: Port, heard: Heard) -> None:
        port.messages.append([0x90, 60, 80])
        await until(lambda: heard.events)
        port.losses += 1
        await until(lambda: len(heard.events) == 2)
        port.messages.append([0x90, 64, 80])
        await until(lambda: len(heard.events) == 3)
        keyboard.play_on([])
        await until(lambda: len(heard.events) == 4)

    heard = play(story)
    assert [(type(event), event.pitch) for event in heard.events if not hasattr(event, "value")] == [
        (NoteOn, 60), (NoteOff, 60), (NoteOn, 64), (NoteOff, 64),
    ]  # fmt: skip
    assert heard.through[-1] == (0x80, 64, 64)


def test_the_clock_on_the_keyboards_port_is_told_only_where_it_is_followed() -> None:
    async def story(keyboard: Keyboard, port: Port, heard: Heard) -> None:
        port.messages.extend([[0xFA], [0xF8], [0xF2, 4, 0], [0xFE], [0x90, 60, 80]])
        await until(lambda: heard.events)

    assert play(story).clock == []
    assert play(story, clock_on_keys=True).clock == [(0xFA,), (0xF8,), (0xF2, 4, 0)]
