"""The face: what the keys ask for, what the news change, and how notes become characters."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Listener
from pathlib import Path

import pytest
from textual.geometry import Size

from duet.errors import DuetError
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
    Who,
    Wish,
)
from duet.note import Note, NoteOff, NoteOn, Pedal, events_of
from duet.request import Character, Settings
from terminal_ui import lettering
from terminal_ui.app import DuetApp
from terminal_ui.banner import TurnBanner
from terminal_ui.chooser import Chooser
from terminal_ui.delays import Delays
from terminal_ui.devices import Devices
from terminal_ui.drawing import Picture, dots_of, ink_of, owner_of, picture_of, text_of
from terminal_ui.gauges import Gauges
from terminal_ui.help import Help
from terminal_ui.link import connect
from terminal_ui.notices import Notices
from terminal_ui.palette import MANY_COLOURS, NO_COLOURS, SIXTEEN_COLOURS, palette_for
from terminal_ui.score import Score
from terminal_ui.view import PAST, PitchRange, TimeScale

NOW = 1000.0
SETUP = Setup(
    midi_in="Launchkey 49",
    midi_out="Duet",
    audio="Built-in Audio, 48 kHz",
    partner="neural",
    partners=("neural", "markov"),
    voice="piano",
    voices=("piano", "sine"),
    styles=("like me", "classical", "jazz"),
    settings=Settings(Character(style="like me")),
)


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


@pytest.fixture(autouse=True)
def true_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")


def screen_of(app: DuetApp) -> list[str]:
    lines = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in line) for line in lines]


def text_on(app: DuetApp, widget: type) -> str:
    return app.query_one(widget).render().plain


async def tell(app: DuetApp, link: ScriptedLink, pilot: object, *news: News) -> None:
    link.news += news
    app.frame()
    await pilot.pause()


# What the keys ask for


@pytest.mark.parametrize(
    ("key", "wish"),
    [
        ("space", HandOver()),
        ("enter", HandOver()),
        ("escape", Panic()),
        ("p", Choose("partner", "markov")),
        ("P", Choose("partner", "markov")),
        ("v", Choose("voice", "sine")),
        ("s", Choose("style", "classical")),
        ("S", Choose("style", "jazz")),
        ("plus", Choose("temperature", 1.1)),
        ("equals_sign", Choose("temperature", 1.1)),
        ("up", Choose("temperature", 1.1)),
        ("minus", Choose("temperature", 0.9)),
        ("down", Choose("temperature", 0.9)),
        ("q", Quit()),
        ("ctrl+c", Quit()),
    ],
)
async def test_each_key_sends_its_wish(key: str, wish: Wish) -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.press(key)
        assert link.wishes == [wish]


async def test_a_setting_is_shown_as_changed_only_when_the_session_says_so() -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.press("p")
        chooser = app.query_one("#partner", Chooser)
        assert (chooser.value, chooser.asked) == ("neural", "markov")
        await tell(app, link, pilot, changed(partner="markov"))
        assert (chooser.value, chooser.asked) == ("markov", None)


async def test_a_refused_setting_falls_back() -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.press("v")
        await tell(app, link, pilot, Message("no such voice", error=True))
        chooser = app.query_one("#voice", Chooser)
        assert (chooser.value, chooser.asked) == ("piano", None)


async def test_keys_pressed_quickly_step_on_from_what_was_asked() -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.press("s", "s", "plus", "plus")
        assert link.wishes == [
            Choose("style", "classical"),
            Choose("style", "jazz"),
            Choose("temperature", 1.1),
            Choose("temperature", 1.2),
        ]


@pytest.mark.parametrize(("key", "limit"), [("plus", 2.0), ("minus", 0.2)])
async def test_the_temperature_stops_at_its_limits(key: str, limit: float) -> None:
    link = ScriptedLink(changed(settings=SETUP.settings.changed(temperature=limit)))
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.press(key)
        assert link.wishes == []


async def test_keys_before_the_session_is_set_up_choose_nothing() -> None:
    link = ScriptedLink()
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await pilot.press("p", "v", "s", "plus")
        assert link.wishes == []


async def test_a_click_on_a_setting_asks_for_the_next_value() -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.click("#style")
        await pilot.click("#partner", shift=True)
        assert link.wishes == [Choose("style", "classical"), Choose("partner", "markov")]


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_opens_and_takes_no_key_for_a_wish(key: str) -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        await pilot.press(key)
        assert isinstance(app.screen, Help)
        await tell(app, link, pilot, Turned("CALL", 1, NOW))  # the music goes on behind it
        await pilot.press("q")
        assert not isinstance(app.screen, Help)
        assert link.wishes == []


# How it ends


async def test_a_closed_link_ends_the_app() -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        link.hung_up = True
        app.frame()
        await pilot.pause()
    assert app._exit
    assert (app.return_code or 0) == 0


async def test_after_quit_it_waits_for_the_engine_but_not_for_ever() -> None:
    link, clock = ScriptedLink(SETUP), Clock()
    app = DuetApp(link, clock)
    async with app.run_test() as pilot:
        await pilot.press("q")
        clock.now += 1.9
        app.frame()
        assert not app._exit
        clock.now += 0.2
        app.frame()
        assert app._exit


async def test_a_second_quit_does_not_wait() -> None:
    app = DuetApp(ScriptedLink(SETUP), Clock())
    async with app.run_test() as pilot:
        await pilot.press("q", "q")
        assert app._exit


def test_a_pipe_link_carries_news_and_wishes_and_ends_with_the_engine(tmp_path: Path) -> None:
    address, key = str(tmp_path / "face"), b"secret"
    with Listener(address, family="AF_UNIX", authkey=key) as listener:
        with ThreadPoolExecutor() as pool:
            calling = pool.submit(connect, address, key.hex())
            engine = listener.accept()
        link = calling.result()
        link.send(HandOver())
        assert engine.recv() == HandOver()
        engine.send(SETUP)
        engine.send(Cut(NOW))
        engine.close()
        assert link.wait()
        assert not link.closed  # there are news to be polled yet
        assert link.poll() == [SETUP, Cut(NOW)]
        assert link.closed
        link.send(Panic())  # nobody hears it, nobody minds


@pytest.mark.parametrize("key", ["ab", "not hex"])
def test_an_engine_that_is_not_there_is_a_plain_error(key: str, tmp_path: Path) -> None:
    with pytest.raises(DuetError, match="cannot reach the engine"):
        connect(str(tmp_path / "nobody"), key)


# What the news change


async def test_until_the_session_speaks_it_says_that_it_is_starting() -> None:
    app = DuetApp(ScriptedLink(), Clock())
    async with app.run_test():
        assert "starting…" in text_on(app, TurnBanner)


@pytest.mark.parametrize(
    ("state", "sentence", "word"),
    [("IDLE", "play something", "PLAY"), ("CALL", "your turn", "YOU"), ("RESPONSE", "Duet's turn", "DUET")],
)
async def test_the_turn_is_told_by_word_sign_and_colour(state: str, sentence: str, word: str) -> None:
    link = ScriptedLink(SETUP, Turned(state, 1, NOW))
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        banner = app.query_one(TurnBanner)
        shown = banner.render().plain
        assert sentence in shown
        assert all(line in shown for line in lettering.write(word))
        assert banner.has_class(f"-{state.lower()}")


async def test_the_devices_are_named_and_a_lost_keyboard_is_noticed() -> None:
    link = ScriptedLink(SETUP)
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        assert text_on(app, Devices) == "♪ duet   in Launchkey 49   out Duet   audio Built-in Audio, 48 kHz"
        await tell(app, link, pilot, changed(midi_in=""))
        assert "in no keyboard" in text_on(app, Devices)


async def test_delays_are_shown_in_milliseconds_with_their_percentiles() -> None:
    link = ScriptedLink(*(Answered(turn, turn / 100, turn / 1000) for turn in range(1, 21)))
    app = DuetApp(link, Clock())
    async with app.run_test(size=(120, 24)) as pilot:
        await tell(app, link, pilot, Health(underruns=3, real_time_factor=2.5))
        line = text_on(app, Gauges)
        assert "200 ms p50 100 p95 190" in line
        assert "20 ms p50 10 p95 19" in line
        assert "voice 2.5×" in line
        assert "3 underruns" in line


async def test_messages_fade_but_an_error_stays_until_something_else_is_said() -> None:
    link, clock = ScriptedLink(Message("hello")), Clock()
    app = DuetApp(link, clock)
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        assert text_on(app, Notices) == "hello"
        clock.now += 60
        await tell(app, link, pilot)
        assert text_on(app, Notices) == ""
        await tell(app, link, pilot, Message("the port is gone", error=True))
        clock.now += 60
        await tell(app, link, pilot)
        assert "! " in text_on(app, Notices)
        assert "the port is gone" in text_on(app, Notices)


async def test_held_keys_light_up_and_go_out() -> None:
    link = ScriptedLink(SETUP, Played(Who.PLAYER, NoteOn(NOW - 1, 60, 80)))
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        assert app._score.held(NOW) == {60: Who.PLAYER}
        assert backgrounds(app).count(MANY_COLOURS.player[1]) > 0
        await tell(app, link, pilot, Played(Who.PLAYER, NoteOff(NOW, 60)))
        assert backgrounds(app).count(MANY_COLOURS.player[1]) == 0


async def test_a_cut_takes_the_planned_notes_off_the_screen() -> None:
    plan = [Note(NOW - 1, 60, 80, NOW + 1), Note(NOW + 2, 72, 80, NOW + 3)]
    link = ScriptedLink(SETUP, *(Played(Who.PARTNER, event) for event in events_of(plan)))
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        before = ahead_of_now(app)
        await tell(app, link, pilot, Cut(NOW))
        assert before.strip("┈ \n│")
        assert not ahead_of_now(app).strip("┈ \n│")


def test_a_cut_ends_what_sounds_and_spares_the_player() -> None:
    score = Score()
    score.feed(Who.PARTNER, NoteOn(9.0, 60, 80))
    score.feed(Who.PARTNER, Pedal(9.0, 127))
    score.feed(Who.PARTNER, NoteOff(12.0, 60))
    score.feed(Who.PARTNER, NoteOn(11.0, 64, 80))
    score.feed(Who.PLAYER, NoteOn(9.5, 48, 80))
    score.cut(10.0)
    assert [(note.pitch, note.offset) for note in score.notes] == [(60, 10.0), (48, None)]
    assert [pedal.offset for pedal in score.pedals] == [10.0]
    assert score.held(10.0) == {48: Who.PLAYER}


def test_what_is_long_past_is_forgotten_but_not_a_held_key() -> None:
    score = Score()
    score.feed(Who.PLAYER, NoteOn(1.0, 60, 80))
    score.feed(Who.PLAYER, NoteOn(1.0, 62, 80))
    score.feed(Who.PLAYER, NoteOff(2.0, 62))
    score.forget(3.0)
    assert [note.pitch for note in score.notes] == [60]


def test_percentiles_are_those_of_the_ranked_delays() -> None:
    delays = Delays()
    for seconds in (0.3, 0.1, 0.2):
        delays.add(seconds)
    assert (delays.last, delays.percentile(50), delays.percentile(95)) == (0.2, 0.2, 0.3)


# How notes become characters


def drawn(score: Score, now: float = NOW, shapes: bool = False) -> tuple[Picture, TimeScale, PitchRange]:
    times, pitches = TimeScale(76, now), PitchRange.fitting({60}, 24)
    return picture_of(dots_of(score.notes, pitches, times), shapes), times, pitches


def played(*notes: Note, who: Who = Who.PLAYER) -> Score:
    score = Score()
    for event in events_of(notes):
        score.feed(who, event)
    return score


def half_columns(score: Score, now: float = NOW) -> list[int]:
    times, pitches = TimeScale(76, now), PitchRange.fitting({60}, 24)
    dots = dots_of(score.notes, pitches, times)
    return sorted({column for row in dots for column in row})


def test_a_note_shorter_than_a_cell_still_shows() -> None:
    picture, *_ = drawn(played(Note(NOW - 5, 60, 80, NOW - 4.999)))
    assert sum(len(row) for row in picture) == 1


def test_a_sounding_note_grows() -> None:
    score = Score()
    score.feed(Who.PLAYER, NoteOn(NOW - 1, 60, 80))
    lengths = [len(half_columns(score, NOW + more)) for more in (0.0, 1.0, 2.0)]
    assert lengths == sorted(set(lengths))
    assert half_columns(score)[-1] == 2 * TimeScale(76, NOW).now_column


def test_a_note_keeps_its_length_while_it_scrolls() -> None:
    score = played(Note(NOW - 3, 60, 80, NOW - 2.3))
    assert len({len(half_columns(score, NOW + step / 50)) for step in range(100)}) == 1


def test_a_key_struck_again_leaves_a_gap() -> None:
    columns = half_columns(played(Note(NOW - 4, 60, 80, NOW - 3), Note(NOW - 3, 60, 80, NOW - 2)))
    assert len(columns) < columns[-1] - columns[0] + 1


def test_the_roll_reaches_back_twenty_seconds() -> None:
    assert TimeScale(76, NOW).half_column(NOW - PAST) in {-1, 0, 1}


def test_louder_is_brighter_and_planned_is_dimmer() -> None:
    soft, loud = ink_of(Who.PARTNER, 20), ink_of(Who.PARTNER, 120)
    inks = MANY_COLOURS.inks()
    assert sum(inks[soft].get_truecolor()) < sum(inks[loud].get_truecolor())
    assert sum(inks[ink_of(Who.PARTNER, 120, planned=True)].get_truecolor()) < sum(inks[loud].get_truecolor())


def test_what_is_planned_has_another_ink_right_of_now() -> None:
    score = played(Note(NOW - 1, 60, 80, NOW + 1), who=Who.PARTNER)
    times, pitches = TimeScale(76, NOW), PitchRange.fitting({60}, 24)
    row = next(row for row in dots_of(score.notes, pitches, times) if row)
    assert row[min(row)] == ink_of(Who.PARTNER, 80)
    assert row[max(row)] == ink_of(Who.PARTNER, 80, planned=True)


def test_without_colour_the_two_are_told_apart_by_shape() -> None:
    mine, times, _ = drawn(played(Note(NOW - 5, 60, 80, NOW - 3)), shapes=True)
    theirs, *_ = drawn(played(Note(NOW - 5, 60, 80, NOW - 3), who=Who.PARTNER), shapes=True)
    assert set("".join(text_of(mine, times.columns))).isdisjoint(
        set("".join(text_of(theirs, times.columns))) - {" "}
    )


def test_a_cell_with_both_players_shows_both() -> None:
    mine, theirs = ink_of(Who.PLAYER, 100), ink_of(Who.PARTNER, 100)
    (cells,) = picture_of([{0: mine}, {1: theirs}])
    assert {owner_of(ink) for ink in cells[0][1:]} == {Who.PLAYER, Who.PARTNER}


@pytest.mark.parametrize("half_rows", [8, 24, 26, 70])
@pytest.mark.parametrize("pitches", [{60}, {21, 108}, {0, 127}, {36, 60, 84}])
def test_every_played_pitch_has_a_row(half_rows: int, pitches: set[int]) -> None:
    shown = PitchRange.fitting(pitches, half_rows)
    for pitch in pitches:
        rows = shown.rows(pitch)
        assert len(rows) >= 1
        assert rows[0] >= 0 and rows[-1] < half_rows


def test_the_pitch_range_adapts_to_what_is_played() -> None:
    narrow = PitchRange.fitting({60, 64}, 24)
    wide = PitchRange.fitting({30, 60, 64, 100}, 24, narrow)
    assert wide.low <= 30 and wide.high >= 100
    assert PitchRange.fitting({60, 64}, 24, wide).high < wide.high


def test_the_pitch_range_stands_still_while_it_will_do() -> None:
    before = PitchRange.fitting({60, 64}, 24)
    assert PitchRange.fitting({58, 66}, 24, before) == before
    assert PitchRange.fitting(set(), 24, before) == before


def test_each_kind_of_terminal_has_its_palette() -> None:
    assert palette_for("truecolor", no_color=False) is MANY_COLOURS
    assert palette_for("256", no_color=False) is MANY_COLOURS
    assert palette_for("standard", no_color=False) is SIXTEEN_COLOURS
    assert palette_for("truecolor", no_color=True) is NO_COLOURS


async def test_with_no_color_nothing_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    link = ScriptedLink(SETUP, Turned("CALL", 1, NOW), Played(Who.PLAYER, NoteOn(NOW - 1, 60, 80)))
    app = DuetApp(link, Clock())
    async with app.run_test() as pilot:
        await tell(app, link, pilot)
        assert set(backgrounds(app)) <= {"default"}


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12), (20, 5)])
async def test_it_draws_at_any_size(size: tuple[int, int]) -> None:
    link = ScriptedLink(SETUP, Turned("CALL", 1, NOW), Played(Who.PLAYER, NoteOn(NOW - 1, 60, 80)))
    app = DuetApp(link, Clock())
    async with app.run_test(size=size) as pilot:
        await tell(app, link, pilot)
        assert app.size == Size(*size)
        assert len(screen_of(app)) == size[1]


# The picture


def test_the_screen_in_the_middle_of_an_answer(snap_compare: object) -> None:
    melody = [60, 62, 64, 67, 65, 64, 62, 60, 55, 59, 62, 65, 64, 60]
    call = [
        Note(NOW - 11 + i * 0.5, pitch, 40 + 6 * i, NOW - 10.6 + i * 0.5) for i, pitch in enumerate(melody)
    ]
    answer = [Note(note.onset + 8.5, note.pitch + 5, note.velocity, note.offset + 8.7) for note in call]
    chord = [Note(NOW - 2.5, pitch, 50, NOW + 1) for pitch in (48, 52, 55)]
    link = ScriptedLink(
        SETUP,
        Turned("RESPONSE", 3, NOW - 3),
        *(Played(Who.PLAYER, event) for event in events_of(call)),
        Played(Who.PLAYER, Pedal(NOW - 10, 127)),
        Played(Who.PLAYER, Pedal(NOW - 5, 0)),
        *(Played(Who.PARTNER, event) for event in events_of(answer + chord)),
        Played(Who.PARTNER, Pedal(NOW - 2, 127)),
        Played(Who.PARTNER, Pedal(NOW + 2, 0)),
        Answered(2, 0.845, 0.041),
        Answered(3, 0.812, 0.032),
        Health(0, 3.2),
        Message("Ready. Play a phrase and stop; Duet answers."),
    )
    app = DuetApp(link, Clock())

    async def look(pilot: object) -> None:
        app.frame()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=look)


def changed(**fields: object) -> Setup:
    from dataclasses import replace

    return replace(SETUP, **fields)


def backgrounds(app: DuetApp) -> list[str]:
    """The background of each run of cells on the keyboard, as the terminal would get it."""
    from terminal_ui.keyboard import Keyboard

    region = app.query_one(Keyboard).region
    found = []
    for line in app.screen._compositor.render_strips()[region.y : region.bottom]:
        for segment in line:
            colour = segment.style.bgcolor if segment.style else None
            found.append("default" if colour is None or colour.is_default else colour.get_truecolor().hex)
    return found


def ahead_of_now(app: DuetApp) -> str:
    """The characters right of the now-line."""
    from terminal_ui.roll import GUTTER, Roll

    region = app.query_one(Roll).region
    now = TimeScale(region.width - GUTTER, NOW).now_column + GUTTER + 1
    return "\n".join(line[now:] for line in screen_of(app)[region.y : region.bottom])
