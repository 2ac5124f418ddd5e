"""One picture of a duet: the roll of both players over the spectrogram of what was heard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from duet.errors import FileError
from duet.note import Event, Note, notes_of
from duet.ports import Block

WIDTH, ROLL_HEIGHT, SOUND_HEIGHT, MARGIN = 1600, 420, 360, 70
GROUND, GRID, TEXT = (16, 18, 27), (38, 42, 58), (200, 205, 220)
PLAYER, PARTNER = (86, 180, 233), (230, 159, 0)
"""Okabe and Ito's sky blue and orange: told apart by every kind of colour vision."""
LOWEST_HZ, HIGHEST_HZ = 27.5, 12_000.0
FFT, FLOOR_DB = 4096, -90.0


def draw_duet(path: Path, call: Sequence[Event], answer: Sequence[Event], samples: Block, rate: int) -> None:
    """Draw the two players' notes and the spectrogram, one time axis; write a PNG. Raises FileError."""
    seconds = max(len(samples) / rate, 0.1)
    picture = Image.new("RGB", (WIDTH, ROLL_HEIGHT + SOUND_HEIGHT + 3 * MARGIN), GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(22)
    top = MARGIN
    players = [("player", notes_of(call), PLAYER), ("Duet", notes_of(answer), PARTNER)]
    _draw_roll(draw, players, seconds, top, font)
    spectrogram = _spectrogram(samples.mean(axis=1), rate)
    picture.paste(spectrogram, (MARGIN, top + ROLL_HEIGHT + MARGIN))
    _draw_axis(draw, seconds, top + ROLL_HEIGHT + MARGIN + SOUND_HEIGHT, font)
    try:
        picture.save(path, format="PNG")
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error})") from error


def _draw_roll(
    draw: ImageDraw.ImageDraw,
    players: Sequence[tuple[str, list[Note], tuple[int, int, int]]],
    seconds: float,
    top: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    pitches = [note.pitch for _, notes, _ in players for note in notes] or [60]
    low, high = min(pitches) - 3, max(pitches) + 3
    row = ROLL_HEIGHT / (high - low + 1)
    scale = (WIDTH - 2 * MARGIN) / seconds
    for pitch in range(low, high + 1):
        if pitch % 12 == 0:
            y = top + (high - pitch + 1) * row
            draw.line([(MARGIN, y), (WIDTH - MARGIN, y)], fill=GRID)
            draw.text((8, y - 28), f"C{pitch // 12 - 1}", fill=TEXT, font=font)
    for place, (name, notes, colour) in enumerate(players):
        draw.text((MARGIN + 140 * place, top - 44), name, fill=colour, font=font)
        for note in notes:
            shade = 0.35 + 0.65 * note.velocity / 127
            left, right = MARGIN + note.onset * scale, MARGIN + note.offset * scale
            y = top + (high - note.pitch) * row
            box = (left, y + 1, max(right, left + 2), max(y + row - 1, y + 2))
            draw.rectangle(box, fill=(int(colour[0] * shade), int(colour[1] * shade), int(colour[2] * shade)))


def _spectrogram(mono: NDArray[np.float32], rate: int) -> Image.Image:
    """Log frequency upwards, decibels as brightness."""
    columns = WIDTH - 2 * MARGIN
    padded = np.pad(mono, (FFT // 2, FFT))
    starts = np.linspace(0, max(len(mono) - 1, 1), columns).astype(int)
    window = np.hanning(FFT)
    frequencies = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, rate / 2.01), SOUND_HEIGHT)
    bins = frequencies / rate * FFT
    image = np.zeros((SOUND_HEIGHT, columns))
    for column, start in enumerate(starts):
        magnitude = np.abs(np.fft.rfft(padded[start : start + FFT] * window)) / (FFT / 4)
        image[:, column] = np.interp(bins, np.arange(len(magnitude)), magnitude)
    decibels = 20 * np.log10(image + 1e-9)
    light = np.clip((decibels - FLOOR_DB) / -FLOOR_DB, 0, 1)[::-1]
    stops = np.array([[16, 18, 27], [60, 30, 110], [190, 60, 100], [250, 160, 60], [255, 250, 210]])
    places = np.linspace(0, 1, len(stops))
    colours = np.stack([np.interp(light, places, stops[:, channel]) for channel in range(3)], axis=-1)
    return Image.fromarray(colours.astype(np.uint8))


def _draw_axis(
    draw: ImageDraw.ImageDraw, seconds: float, y: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    step = next(step for step in (1, 2, 5, 10, 30, 60, 600) if seconds / step <= 20 or step == 600)
    for tick in range(0, int(seconds) + 1, step):
        x = MARGIN + tick / seconds * (WIDTH - 2 * MARGIN)
        draw.line([(x, y), (x, y + 8)], fill=TEXT)
        draw.text((x - 6, y + 12), f"{tick} s", fill=TEXT, font=font)
