"""One picture of a duet: both players on one roll, turn by turn, over the spectrogram of what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from duet.errors import FileError
from duet.note import Event, Note, Pedal, notes_of
from duet.ports import Block

WIDTH, HEIGHT = 1920, 1080
LEFT, RIGHT = 76, 1880
ROLL_TOP, ROLL_BOTTOM = 130, 620
SOUND_TOP, SOUND_BOTTOM = 664, 1010
GROUND, BAND, GRID, TEXT, FAINT = (13, 15, 23), (20, 23, 35), (36, 41, 60), (226, 230, 242), (128, 136, 160)
PLAYER, PARTNER = (86, 180, 233), (240, 165, 0)
"""Near Okabe and Ito's sky blue and orange: told apart by every kind of colour vision."""
LOWEST_HZ, HIGHEST_HZ = 27.5, 12_000.0
FFT, FLOOR_DB = 4096, -84.0
HEAT = np.array(
    [GROUND, (44, 28, 92), (146, 44, 122), (228, 92, 82), (252, 186, 100), (255, 250, 220)], float
)
"""From silence to loud."""

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of a duet."""

    player: Sequence[Event]
    partner: Sequence[Event]
    turns: Sequence[tuple[int, float]] = ()
    """Each turn's number and when it began, in seconds."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Seconds to the right."""

    seconds: float

    def x(self, time: float) -> float:
        return LEFT + (RIGHT - LEFT) * min(1.0, time / self.seconds)


def draw_duet(path: Path, drawn: Drawn, samples: Block, rate: int, title: str = "") -> None:
    """Write a PNG of 1920 by 1080; `samples` (length, channels) begin where the events do. Raises FileError."""
    axis = _Axis(max(len(samples) / rate, 0.1))
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(picture)
    _draw_heading(draw, title)
    _draw_turns(draw, drawn.turns, axis)
    _draw_roll(draw, drawn, axis)
    spectrogram = _spectrogram(samples.mean(axis=1), rate)
    picture.paste(spectrogram, (LEFT, SOUND_TOP))
    _draw_frequencies(draw, rate)
    _draw_seconds(draw, axis)
    try:
        picture.save(path, format="PNG", optimize=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error})") from error


def _draw_heading(draw: ImageDraw.ImageDraw, title: str) -> None:
    draw.text((LEFT, 34), "Duet", fill=TEXT, font=_font(46))
    draw.text((LEFT + 132, 53), title, fill=FAINT, font=_font(24))
    for place, (name, colour) in enumerate((("player", PLAYER), ("partner", PARTNER))):
        x = RIGHT - 300 + 155 * place
        draw.rounded_rectangle((x, 58, x + 28, 74), 5, fill=colour)
        draw.text((x + 40, 51), name, fill=colour, font=_font(24))


def _draw_turns(draw: ImageDraw.ImageDraw, turns: Sequence[tuple[int, float]], axis: _Axis) -> None:
    """Bands behind both panels, every other turn lighter; numbers where there is room for them."""
    free = 0.0
    ends = [time for _, time in turns[1:]] + [axis.seconds]
    for place, ((number, start), end) in enumerate(zip(turns, ends, strict=True)):
        left, right = axis.x(start), axis.x(end)
        if place % 2 == 0:
            draw.rectangle((left, ROLL_TOP - 30, right, ROLL_BOTTOM), fill=BAND)
        if left >= free:
            draw.text((left + 8, ROLL_TOP - 30), f"turn {number}", fill=FAINT, font=_font(20))
            free = left + 90


def _draw_roll(draw: ImageDraw.ImageDraw, drawn: Drawn, axis: _Axis) -> None:
    players = [(drawn.player, PLAYER), (drawn.partner, PARTNER)]
    notes = [(note, colour) for events, colour in players for note in notes_of(events)]
    pitches = [note.pitch for note, _ in notes] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    while high - low < 30:  # a tune of five notes is no wall of bricks
        low, high = low - 1, high + 1
    bottom = ROLL_BOTTOM - 26
    row = (bottom - ROLL_TOP) / (high - low + 1)
    for pitch in range(low, high + 1):
        if pitch % 12 == 0:
            y = ROLL_TOP + (high - pitch + 1) * row
            draw.line([(LEFT, y), (RIGHT, y)], fill=GRID)
            draw.text((LEFT - 12, y), f"C{pitch // 12 - 1}", fill=FAINT, font=_font(20), anchor="rm")
    for note, colour in sorted(notes, key=lambda item: item[0].onset):
        _draw_note(draw, note, colour, axis, ROLL_TOP + (high - note.pitch) * row, row)
    for place, (events, colour) in enumerate(players):
        _draw_pedal(draw, events, _shade(colour, 0.6), axis, bottom + 10 + 8 * place)


def _draw_note(
    draw: ImageDraw.ImageDraw, note: Note, colour: Colour, axis: _Axis, top: float, row: float
) -> None:
    """Louder is brighter; the onset is a bright edge, so that repeated notes stay apart."""
    left, right = axis.x(note.onset), max(axis.x(note.offset) - 1, axis.x(note.onset) + 3)
    box = (left, top + 1, right, max(top + row - 1, top + 3))
    draw.rounded_rectangle(box, min(4, row / 3), fill=_shade(colour, 0.3 + 0.7 * note.velocity / 127))
    draw.rectangle((left, box[1], left + 1.5, box[3]), fill=_shade(colour, 1.25))


def _draw_pedal(
    draw: ImageDraw.ImageDraw, events: Sequence[Event], colour: Colour, axis: _Axis, y: float
) -> None:
    """A line while the sustain pedal is down."""
    since: float | None = None
    for event in events:
        if isinstance(event, Pedal) and event.down and since is None:
            since = event.time
        elif isinstance(event, Pedal) and not event.down and since is not None:
            draw.rectangle((axis.x(since), y, max(axis.x(event.time), axis.x(since) + 1), y + 3), fill=colour)
            since = None
    if since is not None:
        draw.rectangle((axis.x(since), y, axis.x(axis.seconds), y + 3), fill=colour)


def _spectrogram(mono: NDArray[np.float32], rate: int) -> Image.Image:
    """Log frequency upwards, decibels as brightness; a row is the mean power of its band, a column one moment."""
    columns, rows = RIGHT - LEFT, SOUND_BOTTOM - SOUND_TOP
    padded = np.pad(mono, (FFT // 2, FFT))
    starts = np.linspace(0, max(len(mono) - 1, 1), columns).astype(int)
    window = np.hanning(FFT)
    edges = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, rate / 2.01), rows + 1) / rate * FFT
    widths = np.maximum(np.diff(edges), 1.0)
    centres = (edges[1:] + edges[:-1]) / 2
    image = np.zeros((rows, columns))
    for column, start in enumerate(starts):
        power = (np.abs(np.fft.rfft(padded[start : start + FFT] * window)) / (FFT / 4)) ** 2
        total = np.concatenate(([0.0], np.cumsum(power)))
        bins = np.arange(len(total)) - 0.5
        upper, lower = (np.interp(centres + side * widths / 2, bins, total) for side in (1, -1))
        image[:, column] = (upper - lower) / widths
    decibels = 10 * np.log10(image + 1e-12)
    light = np.clip((decibels - FLOOR_DB) / -(FLOOR_DB + 18), 0, 1)[::-1]
    places = np.linspace(0, 1, len(HEAT))
    colours = np.stack([np.interp(light, places, HEAT[:, channel]) for channel in range(3)], axis=-1)
    return Image.fromarray(colours.astype(np.uint8))


def _draw_frequencies(draw: ImageDraw.ImageDraw, rate: int) -> None:
    highest = min(HIGHEST_HZ, rate / 2.01)
    for hertz, name in ((100, "100"), (1000, "1 k"), (10_000, "10 k")):
        if hertz < highest:
            share = np.log(hertz / LOWEST_HZ) / np.log(highest / LOWEST_HZ)
            y = SOUND_BOTTOM - float(share) * (SOUND_BOTTOM - SOUND_TOP)
            draw.line([(LEFT - 6, y), (LEFT, y)], fill=FAINT)
            draw.text((LEFT - 12, y), name, fill=FAINT, font=_font(20), anchor="rm")
    draw.text((LEFT - 12, SOUND_BOTTOM - 2), "Hz", fill=FAINT, font=_font(20), anchor="rb")


def _draw_seconds(draw: ImageDraw.ImageDraw, axis: _Axis) -> None:
    step = next(
        step for step in (1, 2, 5, 10, 30, 60, 300, 600, 3600) if axis.seconds / step <= 20 or step == 3600
    )
    for tick in range(0, int(axis.seconds) + 1, step):
        x = axis.x(tick)
        draw.line([(x, SOUND_BOTTOM), (x, SOUND_BOTTOM + 8)], fill=FAINT)
        text = f"{tick // 60}:{tick % 60:02}" if axis.seconds >= 60 else f"{tick} s"
        draw.text((x, SOUND_BOTTOM + 14), text, fill=FAINT, font=_font(20), anchor="mt" if tick else "lt")


def _shade(colour: Colour, light: float) -> Colour:
    """Darker below 1, towards white above."""
    red, green, blue = (
        round(each * light) if light <= 1 else round(each + (255 - each) * (light - 1)) for each in colour
    )
    return red, green, blue


def _font(size: int) -> Font:
    return ImageFont.load_default(size)
