"""How notes become characters."""

import pytest

from duet.news import Who
from duet.note import Note, NoteOff, NoteOn, Pedal, events_of
from terminal_ui.drawing import Picture, dots_of, ink_of, owner_of, picture_of, text_of
from terminal_ui.palette import MANY_COLOURS, NO_COLOURS, SIXTEEN_COLOURS, palette_for
from terminal_ui.score import Score
from terminal_ui.view import PAST, PitchRange, TimeScale
from tests.face.kit import NOW


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
