"""Notes as block characters: dots first, then 2 x 2 dots to a cell; pure.

An *ink* is a small number: 0 is paper, then LEVELS brightnesses of the player, of the partner, and of
what the partner has planned. With colour a cell shows four dots (a quadrant character, one ink on
another). Without, whose note it is must be seen by shape: the player's half-rows are solid, the
partner's are dashed, so the two half-columns of a cell are given up for that.
"""

from collections.abc import Iterable

from duet.news import Who
from terminal_ui.score import Span
from terminal_ui.view import PitchRange, TimeScale

LEVELS = 5
"""Brightnesses; velocity is one of them."""
PAPER = 0

Dots = list[dict[int, int]]
"""For each half-row from the top: half-column -> ink."""
Cell = tuple[str, int, int]
"""A character, its ink, and the ink behind it."""
Picture = list[dict[int, Cell]]
"""For each row from the top: column -> cell; columns without notes are absent."""

_QUADRANTS = " ▗▖▄▝▐▞▟▘▚▌▙▀▜▛█"
"""By four bits: top left 8, top right 4, bottom left 2, bottom right 1."""
_SHAPES = {
    (None, None): " ",
    (Who.PLAYER, None): "▀",
    (None, Who.PLAYER): "▄",
    (Who.PLAYER, Who.PLAYER): "█",
    (Who.PARTNER, None): "▘",
    (None, Who.PARTNER): "▖",
    (Who.PARTNER, Who.PARTNER): "▌",
    (Who.PLAYER, Who.PARTNER): "▛",
    (Who.PARTNER, Who.PLAYER): "▙",
}


def ink_of(who: Who, velocity: int, planned: bool = False) -> int:
    """The ink of a note: whose, how loud, and whether it is still to come."""
    family = 0 if who is Who.PLAYER else 2 if planned else 1
    return 1 + family * LEVELS + min(velocity, 127) * LEVELS // 128


def loudness_of(ink: int) -> int:
    """The brightness of an ink, 0..LEVELS - 1."""
    return (ink - 1) % LEVELS


def owner_of(ink: int) -> Who | None:
    """Whose ink this is; None for paper."""
    if ink == PAPER:
        return None
    return Who.PLAYER if ink <= LEVELS else Who.PARTNER


def dots_of(notes: Iterable[Span], pitches: PitchRange, times: TimeScale) -> Dots:
    """The notes as dots. However short, each has one; a key struck again leaves a gap before it."""
    dots: Dots = [{} for _ in range(pitches.half_rows)]
    right, now = 2 * times.columns, 2 * times.now_column
    for note in sorted(notes, key=lambda note: note.onset):
        if not pitches.low <= note.pitch <= pitches.high:
            continue
        first = times.half_column(note.onset)
        end = times.half_column(times.now if note.offset is None else note.offset)
        last = max(first + 1, end + (note.offset is None))
        ink, planned = ink_of(note.who, note.velocity), ink_of(note.who, note.velocity, planned=True)
        for half_row in pitches.rows(note.pitch):
            row = dots[half_row]
            if first - 2 in row and first - 1 in row:
                del row[first - 1]
            for column in range(max(first, 0), min(last, right)):
                row[column] = ink if column <= now else planned
    return dots


def picture_of(dots: Dots, shapes: bool = False) -> Picture:
    """The dots as characters; `shapes` tells the two players apart by shape, for want of colour."""
    picture: Picture = []
    for top, bottom in zip(dots[::2], dots[1::2], strict=True):
        cells: dict[int, Cell] = {}
        for column in {half // 2 for half in (*top, *bottom)}:
            left, right = 2 * column, 2 * column + 1
            corners = top.get(left, 0), top.get(right, 0), bottom.get(left, 0), bottom.get(right, 0)
            cells[column] = _shaped(*corners) if shapes else _coloured(*corners)
        picture.append(cells)
    return picture


def text_of(picture: Picture, columns: int) -> list[str]:
    """The characters alone, for tests and logs."""
    return ["".join(row.get(column, " ")[0] for column in range(columns)) for row in picture]


def _coloured(*corners: int) -> Cell:
    inks = set(corners)
    if len(inks) > 2:
        corners = _in_two_inks(corners)
        inks = set(corners)
    fore = max(inks)
    back = min(inks)
    if fore == back:
        return "█", fore, PAPER
    mask = sum(8 >> place for place, ink in enumerate(corners) if ink == fore)
    return _QUADRANTS[mask], fore, back


def _in_two_inks(corners: tuple[int, ...]) -> tuple[int, ...]:
    """A cell has but two colours: first give up differences of loudness, then of time."""
    loudest: dict[Who | None, int] = {}
    for ink in corners:
        loudest[owner_of(ink)] = max(ink, loudest.get(owner_of(ink), 0))
    merged = tuple(loudest[owner_of(ink)] for ink in corners)
    if len(set(merged)) <= 2:
        return merged
    top, bottom = merged[1] or merged[0], merged[3] or merged[2]
    return top, top, bottom, bottom


def _shaped(*corners: int) -> Cell:
    top, bottom = corners[1] or corners[0], corners[3] or corners[2]
    return _SHAPES[owner_of(top), owner_of(bottom)], max(top, bottom), PAPER
