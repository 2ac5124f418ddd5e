"""The main states as pictures, at the smallest and the largest size."""

from collections.abc import Callable, Sequence

import pytest
from textual.pilot import Pilot

from duet.news import Answered, Beat, Health, Level, Message, News, Played, TakeLine, Takes, Turned, Who
from duet.note import Note, NoteOn, Pedal, events_of
from duet.request import Settings
from terminal_ui.app import DuetApp
from tests.face.kit import NOW, PLUGGED, SETUP, Clock, ScriptedLink, changed

SMALL, LARGE = (80, 24), (200, 60)
Snap = Callable[..., bool]


def picture(
    snap: Snap, size: tuple[int, int], news: list[News], *keys: str, then: Sequence[News] = ()
) -> bool:
    link = ScriptedLink(*news)
    app = DuetApp(link, Clock())

    async def look(pilot: Pilot[None]) -> None:
        app.frame()
        await pilot.press(*keys)
        link.news += then
        app.frame()
        await pilot.pause()

    return snap(app, terminal_size=size, run_before=look)


def a_call() -> list[News]:
    run = [Note(NOW - 6 + i * 0.4, 60 + 2 * i - i // 3, 45 + 5 * i, NOW - 5.7 + i * 0.4) for i in range(12)]
    return [
        SETUP,
        PLUGGED,
        Turned("CALL", 1, NOW - 6),
        *(Played(Who.PLAYER, event) for event in events_of(run)),
        Played(Who.PLAYER, NoteOn(NOW - 0.5, 48, 90)),
    ]


def an_answer() -> list[News]:
    melody = [60, 62, 64, 67, 65, 64, 62, 60, 55, 59, 62, 65, 64, 60]
    call = [
        Note(NOW - 11 + i * 0.5, pitch, 40 + 6 * i, NOW - 10.6 + i * 0.5) for i, pitch in enumerate(melody)
    ]
    answer = [Note(note.onset + 8.5, note.pitch + 5, note.velocity, note.offset + 8.7) for note in call]
    chord = [Note(NOW - 2.5, pitch, 50, NOW + 1) for pitch in (48, 52, 55)]
    settings = Settings().changed(density=4.0, register=60.0, key="A minor", loudness=71.0)
    return [
        changed(settings=settings),
        PLUGGED,
        Turned("RESPONSE", 3, NOW - 3),
        *(Played(Who.PLAYER, event) for event in events_of(call)),
        Played(Who.PLAYER, Pedal(NOW - 10, 127)),
        Played(Who.PLAYER, Pedal(NOW - 5, 0)),
        *(Played(Who.PARTNER, event) for event in events_of(answer + chord)),
        Played(Who.PARTNER, Pedal(NOW - 2, 127)),
        Played(Who.PARTNER, Pedal(NOW + 2, 0)),
        Answered(2, 0.845, 0.041),
        Answered(3, 0.812, 0.032),
        Health(0, 9.2),
        Level(0.35),
        Beat(4, 96.0, NOW),
        Message("Ready. Play a phrase and stop; Duet answers."),
    ]


both_sizes = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@both_sizes
def test_the_middle_of_an_answer(size: tuple[int, int], snap_compare: Snap) -> None:
    assert picture(snap_compare, size, an_answer())


@both_sizes
def test_nobody_plays_and_there_is_no_keyboard(size: tuple[int, int], snap_compare: Snap) -> None:
    assert picture(
        snap_compare, size, [changed(midi_in="Duet in"), type(PLUGGED)((), (), ()), Turned("IDLE", 0, NOW)]
    )


@both_sizes
def test_the_player_plays(size: tuple[int, int], snap_compare: Snap) -> None:
    assert picture(snap_compare, size, a_call())


@both_sizes
def test_letters_play_notes(size: tuple[int, int], snap_compare: Snap) -> None:
    assert picture(snap_compare, size, [*an_answer(), Turned("CALL", 4, NOW)], "tab")


@both_sizes
def test_the_help(size: tuple[int, int], snap_compare: Snap) -> None:
    assert picture(snap_compare, size, [SETUP, Turned("IDLE", 0, NOW)], "question_mark")


@both_sizes
def test_the_device_picker(size: tuple[int, int], snap_compare: Snap) -> None:
    assert picture(snap_compare, size, [SETUP, PLUGGED], "d")


def test_the_kept_takes(snap_compare: Snap) -> None:
    takes = (
        TakeLine("/m/3.mid", "2026-11-20 21:03:04", 12, 271.2, ("jazz",), (3, 5)),
        TakeLine("/m/2.mid", "2026-11-19 20:15:00", 41, 1865.0, ("classical", "ragtime", "folk"), (40,)),
        TakeLine("/m/1.mid", "2026-11-17 19:40:00", 1, 25.0, (), ()),
    )

    assert picture(
        snap_compare, SMALL, [SETUP, Turned("IDLE", 0, NOW)], "o", then=[Takes("/home/ada/Music/Duet", takes)]
    )


def test_without_colour(snap_compare: Snap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(snap_compare, SMALL, an_answer())
