"""The computer's keys as piano keys."""

import pytest

from duet.news import HandOver, Panic, Press, Quit
from terminal_ui.hints import Hints
from terminal_ui.keyboard import Keyboard
from terminal_ui.notices import Notices
from terminal_ui.typing_notes import HIGHEST, LOWEST, Typist
from tests.face.kit import PLUGGED, SETUP, screen_of, shown, text_on


async def test_tab_makes_letters_notes_and_commands_again() -> None:
    async with shown(SETUP) as face:
        assert await face.press("tab", "z", "s", "q", "i") == [Press(60), Press(61), Press(72), Press(84)]
        assert "letters play notes" in text_on(face.app, Notices)
        assert "tab back" in text_on(face.app, Hints)
        await face.press("tab")
        assert "letters play" not in text_on(face.app, Notices)
        assert await face.press("up") != []


async def test_the_letters_are_written_on_the_keys() -> None:
    async with shown(SETUP) as face:
        await face.press("tab")
        await face.tell()
        region = face.app.query_one(Keyboard).region
        black, white = (screen_of(face.app)[line] for line in range(region.y, region.bottom))
        assert "s d" in black and "2 3" in black
        assert "z│x│cv│b│n│mq│w" in white


@pytest.mark.parametrize("key", ["a", "k", "f", "'", "question_mark"])
async def test_a_letter_that_is_no_piano_key_does_nothing_while_letters_play(key: str) -> None:
    async with shown(SETUP) as face:
        assert await face.press("tab", key) == []
        assert len(face.app.screen_stack) == 1


async def test_handing_over_panic_and_an_interrupt_work_while_letters_play() -> None:
    async with shown(SETUP) as face:
        assert await face.press("tab", "space", "escape", "ctrl+c") == [HandOver(), Panic(), Quit()]
        assert face.app.playing_letters


async def test_arrows_move_the_letters_and_their_loudness() -> None:
    async with shown(SETUP) as face:
        assert await face.press("tab", "left", "up", "z") == [Press(48, 88)]
        assert "from C3, loudness 88" in text_on(face.app, Notices)


async def test_a_key_held_down_sounds_once_though_the_terminal_repeats_it() -> None:
    async with shown(SETUP) as face:
        assert await face.press("tab", "z", "z", "z", "z") == [Press(60)]
        face.clock.now += 0.2
        assert await face.press("z") == [Press(60)]


async def test_a_click_on_a_key_plays_it() -> None:
    async with shown(SETUP) as face:
        await face.pilot.mouse_down(Keyboard, offset=(1, 1))
        (press,) = face.link.wishes
        assert isinstance(press, Press) and 21 <= press.pitch <= 35
        assert not face.app.playing_letters


async def test_a_click_on_a_setting_ends_playing_with_letters() -> None:
    async with shown(SETUP) as face:
        await face.press("tab")
        await face.pilot.click("#style")
        await face.pilot.pause()
        assert "letters play" not in text_on(face.app, Notices)
        assert "tab back" not in text_on(face.app, Hints)


async def test_without_a_keyboard_it_says_what_can_be_done() -> None:
    async with shown(SETUP, type(PLUGGED)((), (), ())) as face:
        assert "press tab and play on this one" in text_on(face.app, Notices)


def test_the_two_rows_are_a_keyboard_of_two_octaves_and_more() -> None:
    typist = Typist()
    assert [typist.pitch_of(character) for character in "zxcvbnm,"] == [60, 62, 64, 65, 67, 69, 71, 72]
    assert [typist.pitch_of(character) for character in "q2w3er5t6y7ui"] == list(range(72, 85))
    assert typist.pitch_of("a") is None
    assert typist.caps()[72] == "q"


def test_octaves_and_loudness_stop_where_midi_does() -> None:
    typist = Typist()
    for _ in range(20):
        typist.shift(1)
        typist.press_harder(8)
    assert (typist.octave, typist.velocity) == (HIGHEST, 127)
    assert typist.strike("z", 0.0) == 96
    assert typist.strike("]", 1.0) == 127
    for _ in range(20):
        typist.shift(-1)
        typist.press_harder(-8)
    assert (typist.octave, typist.velocity) == (LOWEST, 8)
    assert typist.strike("z", 2.0) == 12
