"""What the keys, the mouse and the palette ask the engine for."""

from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from duet.news import (
    Again,
    Choose,
    HandOver,
    Keep,
    ListTakes,
    Message,
    Metronome,
    Mute,
    Panic,
    Quit,
    Replay,
    TakeLine,
    Takes,
    Tap,
    Turned,
    Wish,
)
from terminal_ui.actions import ACTIONS
from terminal_ui.dial import Dial
from terminal_ui.evenings import Evenings
from terminal_ui.folder import Folder
from terminal_ui.help import Help
from terminal_ui.hints import Hints
from terminal_ui.picker import Picker
from tests.face.kit import NOW, PLUGGED, SETUP, changed, shown, text_on

ROOT = Path(__file__).parent.parent.parent


async def test_each_key_sends_its_wish() -> None:
    wishes: dict[str, Wish] = {
        "space": HandOver(),
        "enter": HandOver(),
        "escape": Panic(),
        "a": Again(),
        "r": Replay(),
        "k": Keep(),
        "m": Mute(),
        "c": Metronome(),
        "t": Tap(NOW),
        "l": Choose("learn", "temperature"),
        "p": Choose("partner", "markov"),
        "P": Choose("partner", "markov"),
        "v": Choose("voice", "sine"),
        "s": Choose("style", "classical"),
        "S": Choose("style", "jazz"),
        "plus": Choose("temperature", 1.1),
        "equals_sign": Choose("temperature", 1.1),
        "up": Choose("temperature", 1.1),
        "minus": Choose("temperature", 0.9),
        "down": Choose("temperature", 0.9),
        "q": Quit(),
    }
    async with shown(SETUP) as face:
        for key, wish in wishes.items():
            assert await face.press(key) == [wish], key
            await face.tell(SETUP)


async def test_an_interrupt_is_a_wish_to_leave() -> None:
    async with shown(SETUP) as face:
        assert await face.press("ctrl+c") == [Quit()]


@pytest.mark.parametrize(
    ("steps", "wish"),
    [
        (["right", "up"], Choose("density", 1.0)),
        (["right", "right", "up"], Choose("length", 1.5)),
        (["right", "right", "right", "up", "up"], Choose("loudness", 33.0)),
        (["left", "up"], Choose("key", "call")),
        (["left", "left", "up"], Choose("turn", "fixed")),
        (["left", "left", "left", "left", "left", "left", "up"], Choose("closeness", 0.0)),
    ],
)
async def test_arrows_mark_a_setting_and_turn_it(steps: list[str], wish: Wish) -> None:
    async with shown(SETUP) as face:
        assert (await face.press(*steps))[-1] == wish


async def test_backspace_sets_a_setting_free_again() -> None:
    settings = SETUP.settings.changed(density=4.0, length=2.0)
    async with shown(changed(settings=settings)) as face:
        assert await face.press("right", "backspace") == [Choose("density", None)]
        assert await face.press("right", "backspace") == [Choose("length", 1.0)]


async def test_a_setting_is_shown_as_changed_only_when_the_session_says_so() -> None:
    async with shown(SETUP) as face:
        await face.press("p")
        dial = face.app.query_one("#partner", Dial)
        assert (dial.value, dial.asked) == ("neural", "markov")
        assert "neural → markov…" in dial.render().plain
        await face.tell(changed(partner="markov"))
        assert (dial.value, dial.asked) == ("markov", "markov")
        assert "→" not in dial.render().plain


async def test_a_refused_setting_falls_back() -> None:
    async with shown(SETUP) as face:
        await face.press("v")
        await face.tell(Message("no such voice", error=True))
        dial = face.app.query_one("#voice", Dial)
        assert (dial.value, dial.asked) == ("piano", "piano")


async def test_keys_pressed_quickly_step_on_from_what_was_asked() -> None:
    async with shown(SETUP) as face:
        assert await face.press("s", "s", "plus", "plus") == [
            Choose("style", "classical"),
            Choose("style", "jazz"),
            Choose("temperature", 1.1),
            Choose("temperature", 1.2),
        ]


@pytest.mark.parametrize(("key", "limit"), [("plus", 2.0), ("minus", 0.2)])
async def test_the_temperature_stops_at_its_limits(key: str, limit: float) -> None:
    async with shown(changed(settings=SETUP.settings.changed(temperature=limit))) as face:
        assert await face.press(key) == []


async def test_keys_before_the_session_is_set_up_choose_nothing() -> None:
    async with shown() as face:
        assert await face.press("p", "v", "s", "plus", "backspace") == []


async def test_a_click_on_a_setting_asks_for_the_next_value() -> None:
    async with shown(SETUP) as face:
        await face.pilot.click("#style")
        await face.pilot.click("#partner", shift=True)
        assert face.link.wishes == [Choose("style", "classical"), Choose("partner", "markov")]


async def test_learning_is_for_the_marked_setting_and_a_second_press_gives_it_up() -> None:
    async with shown(SETUP) as face:
        assert await face.press("right", "l") == [Choose("learn", "density")]
        await face.tell(changed(learning="density"))
        assert "turn a MIDI knob" in face.app.query_one("#density", Dial).render().plain
        assert await face.press("l") == [Choose("learn", None)]


async def test_a_hint_can_be_clicked() -> None:
    async with shown(SETUP) as face:
        line = text_on(face.app, Hints)
        await face.pilot.click(Hints, offset=(1 + line.index("a again"), 0))
        await face.pilot.pause()
        assert face.link.wishes == [Again()]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
async def test_the_way_to_everything_else_is_always_in_sight(width: int) -> None:
    async with shown(SETUP, size=(width, 24)) as face:
        line = text_on(face.app, Hints)
        assert "? help" in line and "q quit" in line and "^p all" in line
        assert len(line.rstrip()) <= width - 2


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_opens_and_takes_no_key_for_a_wish(key: str) -> None:
    async with shown(SETUP) as face:
        await face.press(key)
        assert isinstance(face.app.screen, Help)
        await face.tell(Turned("CALL", 1, NOW))  # the music goes on behind it
        assert await face.press("q") == []
        assert not isinstance(face.app.screen, Help)


async def test_the_picker_shows_what_is_plugged_in_and_chooses_among_it() -> None:
    async with shown(SETUP, PLUGGED) as face:
        await face.press("d")
        assert isinstance(face.app.screen, Picker)
        assert await face.press("down", "enter") == [Choose("port", "Digital Piano")]
        assert not isinstance(face.app.screen, Picker)


async def test_a_device_plugged_in_while_the_picker_is_open_can_be_chosen() -> None:
    async with shown(SETUP) as face:
        await face.press("d")
        await face.tell(PLUGGED)
        names = face.app.screen.query_one("OptionList")
        assert [names.get_option_at_index(place).prompt.plain.strip() for place in range(4)] == [
            "your keyboard",
            "● Launchkey 49",
            "○ Digital Piano",
            "○ Duet's own port, for others to connect to",
        ]
        assert await face.press("escape") == []


async def test_a_kept_take_is_chosen_from_the_list_and_played() -> None:
    lines = (
        TakeLine("/m/two.mid", "2026-11-20 21:03:04", 12, 271.2, ("jazz",), (3, 5)),
        TakeLine("/m/one.mid", "2026-11-19 20:00:00", 1, 65.0, (), ()),
    )
    async with shown(SETUP) as face:
        assert await face.press("o") == [ListTakes()]
        assert isinstance(face.app.screen, Evenings)
        assert await face.press("enter") == [], "nothing can be chosen before it is told"
        await face.tell(Takes("/m", lines))
        shelf = face.app.screen.query_one("OptionList")
        assert shelf.get_option_at_index(0).prompt.plain.split() == [
            "2026-11-20", "21:03", "12", "turns", "4:31", "jazz", "kept", "3,", "5",
        ]  # fmt: skip
        assert shelf.get_option_at_index(1).prompt.plain.split() == [
            "2026-11-19", "20:00", "1", "turn", "1:05",
        ]  # fmt: skip
        assert await face.press("down", "enter") == [Replay("/m/one.mid")]
        assert not isinstance(face.app.screen, Evenings)
        await face.press("o")
        await face.tell(Takes("/m", ()))
        assert await face.press("enter", "escape") == []


async def test_takes_can_go_to_another_folder() -> None:
    async with shown(SETUP) as face:
        await face.press("w")
        assert isinstance(face.app.screen, Folder)
        assert face.app.screen.query_one(Input).value == "/home/ada/Music/Duet"
        assert await face.press("2", "enter") == [Choose("takes", "/home/ada/Music/Duet2")]


async def test_every_action_setting_and_device_is_in_the_palette() -> None:
    async with shown(SETUP, PLUGGED) as face:
        entries = {entry.title: entry for entry in face.app.get_system_commands(face.app.screen)}
        assert {
            "style: jazz",
            "density: free",
            "density: 4/s",
            "length: 2.0×",
            "register: C4",
            "key: yours",
        } <= set(entries)
        assert {"learn loudness", "keyboard: Digital Piano", "sound: USB", "turn: bars", "keep  (k)"} <= set(
            entries
        )
        for title in ("style: jazz", "again  (a)", "answers to: Synth"):
            entries[title].callback()
        await face.pilot.pause()
        assert sorted(map(str, face.link.wishes)) == sorted(
            map(str, [Choose("style", "jazz"), Again(), Choose("out", "Synth")])
        )


async def test_the_palette_finds_by_what_is_typed() -> None:
    async with shown(SETUP, PLUGGED) as face:
        await face.press("ctrl+p")
        assert isinstance(face.app.screen, CommandPalette)
        await face.press(*"jazz")
        await face.app.workers.wait_for_complete()
        await face.pilot.pause(0.3)  # the palette gathers its matches for a moment before it shows them
        assert await face.press("enter") == [Choose("style", "jazz")]


def test_the_docs_know_every_key() -> None:
    rows = [line.split("|") for line in (ROOT / "docs" / "face.md").read_text().splitlines() if "|" in line]
    told = {row[1].strip(): row[2].strip() for row in rows}
    for action in ACTIONS:
        meaning = next((words for keys, words in told.items() if action.cap in keys.split(", ")), "")
        assert meaning.startswith(action.meaning), action.cap
