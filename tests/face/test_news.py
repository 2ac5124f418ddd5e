"""What the news change on the screen."""

import pytest
from textual.geometry import Size

from duet.news import Answered, Beat, Cut, Health, Level, Message, Played, Turned, Who
from duet.note import Note, NoteOff, NoteOn, events_of
from terminal_ui import lettering
from terminal_ui.banner import TurnBanner
from terminal_ui.beat import BeatLight
from terminal_ui.delays import Delays
from terminal_ui.devices import Devices
from terminal_ui.dial import Dial
from terminal_ui.gauges import Gauges
from terminal_ui.meter import Meter
from terminal_ui.notices import Notices
from terminal_ui.palette import MANY_COLOURS
from tests.face.kit import NOW, SETUP, ahead_of_now, backgrounds, changed, screen_of, shown, text_on


async def test_until_the_session_speaks_it_says_that_it_is_starting() -> None:
    async with shown() as face:
        assert "starting…" in text_on(face.app, TurnBanner)


@pytest.mark.parametrize(
    ("state", "sentence", "word"),
    [("IDLE", "play something", "PLAY"), ("CALL", "your turn", "YOU"), ("RESPONSE", "Duet's turn", "DUET")],
)
async def test_the_turn_is_told_by_word_sign_and_colour(state: str, sentence: str, word: str) -> None:
    async with shown(SETUP, Turned(state, 1, NOW)) as face:
        banner = face.app.query_one(TurnBanner)
        text = banner.render().plain
        assert sentence in text
        assert all(line in text for line in lettering.write(word))
        assert banner.has_class(f"-{state.lower()}")


async def test_the_devices_are_named_and_a_lost_keyboard_is_noticed() -> None:
    async with shown(changed(takes="")) as face:
        assert (
            text_on(face.app, Devices) == "♪ duet   in Launchkey 49   out Duet   audio Built-in Audio, 48 kHz"
        )
        await face.tell(changed(midi_in=""))
        assert "in no keyboard" in text_on(face.app, Devices)


async def test_it_says_that_the_evening_is_kept() -> None:
    async with shown(SETUP) as face:
        assert text_on(face.app, Devices).endswith("● rec")


async def test_unset_settings_read_free_and_those_set_from_elsewhere_are_shown() -> None:
    async with shown(SETUP) as face:
        dials = {dial.knob.setting: dial for dial in face.app.query(Dial)}
        assert [dials[name].render().plain.split()[-1] for name in ("density", "loudness", "register")] == [
            "free"
        ] * 3
        await face.tell(
            changed(settings=SETUP.settings.changed(density=5.0, key="A minor"))
        )  # by a MIDI knob, say
        assert "density 5/s" in dials["density"].render().plain
        assert "key A minor" in dials["key"].render().plain


async def test_delays_are_shown_in_milliseconds_with_their_percentiles() -> None:
    answers = [Answered(turn, turn / 100, turn / 1000) for turn in range(1, 21)]
    async with shown(*answers, Health(underruns=3, real_time_factor=2.5), size=(120, 24)) as face:
        line = text_on(face.app, Gauges)
        assert "200 ms p50 100 p95 190" in line
        assert "20 ms p50 10 p95 19" in line
        assert "voice 2.5×" in line
        assert "3 underruns" in line


async def test_messages_fade_but_an_error_stays_until_something_else_is_said() -> None:
    async with shown(SETUP, Message("hello")) as face:
        assert text_on(face.app, Notices) == "hello"
        face.clock.now += 60
        await face.tell()
        assert text_on(face.app, Notices) == ""
        await face.tell(Message("the port is gone", error=True))
        face.clock.now += 60
        await face.tell()
        assert "! " in text_on(face.app, Notices)
        assert "the port is gone" in text_on(face.app, Notices)


async def test_held_keys_light_up_and_go_out() -> None:
    async with shown(SETUP, Played(Who.PLAYER, NoteOn(NOW - 1, 60, 80))) as face:
        assert backgrounds(face.app).count(MANY_COLOURS.player[1]) > 0
        await face.tell(Played(Who.PLAYER, NoteOff(NOW, 60)))
        assert backgrounds(face.app).count(MANY_COLOURS.player[1]) == 0


async def test_a_cut_takes_the_planned_notes_off_the_screen() -> None:
    plan = [Note(NOW - 1, 60, 80, NOW + 1), Note(NOW + 2, 72, 80, NOW + 3)]
    async with shown(SETUP, *(Played(Who.PARTNER, event) for event in events_of(plan))) as face:
        assert ahead_of_now(face.app).strip("┈ \n│")
        await face.tell(Cut(NOW))
        assert not ahead_of_now(face.app).strip("┈ \n│")


def height_of(face: object) -> int:
    """Rows of the meter of which something is filled."""
    region = face.app.query_one(Meter).region
    rows = screen_of(face.app)[region.y : region.bottom]
    return sum(row[region.x + 1] in "▁▂▃▄▅▆▇█" for row in rows)


async def test_the_level_rises_at_once_and_sinks_in_time() -> None:
    async with shown(SETUP, Level(0.5)) as face:
        loud = height_of(face)
        face.clock.now += 0.5
        await face.tell()
        sunk = height_of(face)
        face.clock.now += 3.0
        await face.tell()
        assert loud > sunk > height_of(face) == 0


async def test_a_level_over_full_scale_and_a_muted_voice_are_said_in_words() -> None:
    async with shown(SETUP, Level(1.0)) as face:
        region = face.app.query_one(Meter).region
        assert screen_of(face.app)[region.y][region.x :] == "CLIP"
        await face.tell(changed(muted=True))
        column = "".join(row[region.x + 1] for row in screen_of(face.app)[region.y : region.bottom])
        assert column.strip() == "MUTED"


async def test_the_light_shines_when_the_beat_sounds_and_not_before() -> None:
    async with shown(SETUP) as face:
        light = face.app.query_one(BeatLight)
        assert not light.display
        await face.tell(Beat(4, 120.0, NOW + 0.1))
        assert not light.lit
        face.clock.now += 0.12
        await face.tell()
        assert light.lit and "120" in light.render().plain
        face.clock.now += 0.3
        await face.tell()
        assert not light.lit and light.display
        face.clock.now += 5.0
        await face.tell()
        assert not light.display


async def test_a_bars_first_beat_has_another_shape() -> None:
    async with shown(SETUP, Beat(0, 120.0, NOW)) as face:
        light = face.app.query_one(BeatLight)
        first = light.render().plain
        await face.tell(Beat(1, 120.0, NOW))
        assert light.render().plain != first


def test_percentiles_are_those_of_the_ranked_delays() -> None:
    delays = Delays()
    for seconds in (0.3, 0.1, 0.2):
        delays.add(seconds)
    assert (delays.last, delays.percentile(50), delays.percentile(95)) == (0.2, 0.2, 0.3)


async def test_with_no_color_nothing_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(SETUP, Turned("CALL", 1, NOW), Played(Who.PLAYER, NoteOn(NOW - 1, 60, 80))) as face:
        assert set(backgrounds(face.app)) <= {"default"}


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12), (20, 5)])
async def test_it_draws_at_any_size(size: tuple[int, int]) -> None:
    playing = Played(Who.PLAYER, NoteOn(NOW - 1, 60, 80))
    async with shown(
        SETUP, Turned("CALL", 1, NOW), Level(0.5), Beat(0, 96.0, NOW), playing, size=size
    ) as face:
        assert face.app.size == Size(*size)
        assert len(screen_of(face.app)) == size[1]
