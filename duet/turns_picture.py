"""The picture of `duet eval turns`: cut-ins a minute against the wait, a curve a policy."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from duet.errors import FileError

SIZE, LEFT, TOP, RIGHT, BOTTOM = (1200, 760), 120, 60, 1150, 670
GROUND, GRID, TEXT = (255, 255, 255), (222, 224, 230), (40, 44, 60)
COLOURS = {
    "fixed": (110, 110, 120),
    "gaps": (86, 180, 233),
    "adaptive": (0, 114, 178),
    "learned": (213, 94, 0),
}
"""Okabe and Ito's, told apart by every kind of colour vision."""
RATES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LONGEST = 1.6
"""Seconds at the right edge."""


def draw_turns(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Draw the curves; write a PNG. Raises FileError."""
    picture = Image.new("RGB", SIZE, GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(22)
    for rate in RATES:
        y = _y(rate)
        draw.line([(LEFT, y), (RIGHT, y)], fill=GRID)
        draw.text((LEFT - 12, y), f"{rate:g}", fill=TEXT, font=font, anchor="rm")
    for tenth in range(0, 17, 2):
        x = _x(tenth / 10)
        draw.line([(x, TOP), (x, BOTTOM)], fill=GRID)
        draw.text((x, BOTTOM + 12), f"{tenth / 10:.1f}", fill=TEXT, font=font, anchor="mt")
    draw.text((LEFT, TOP - 40), "cut-ins a minute of playing", fill=TEXT, font=font)
    label = "median silence before the answer at phrase ends, s"
    draw.text((RIGHT, BOTTOM + 46), label, fill=TEXT, font=font, anchor="rt")
    for place, (name, colour) in enumerate(COLOURS.items()):
        mine = [row for row in rows if row["policy"] == name and row["wait_s_median"] is not None]
        if not mine:
            continue
        points = [(_x(row["wait_s_median"]), _y(row["cut_ins_per_minute"])) for row in mine]
        draw.line(points, fill=colour, width=4, joint="curve")
        for (x, y), row in zip(points, mine, strict=True):
            reach = 11 if row["default"] else 5
            draw.ellipse([x - reach, y - reach, x + reach, y + reach], fill=colour)
        draw.text((RIGHT - 20, TOP + 14 + 34 * place), name, fill=colour, font=font, anchor="rt")
    draw.text((RIGHT - 20, TOP + 156), "large dot: as it ships", fill=TEXT, font=font, anchor="rt")
    try:
        picture.save(path, format="PNG", optimize=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error})") from error


def _x(seconds: float) -> float:
    return LEFT + (RIGHT - LEFT) * min(seconds, LONGEST) / LONGEST


def _y(rate: float) -> float:
    low, high = math.log(RATES[0]), math.log(RATES[-1])
    share = (math.log(min(max(rate, RATES[0]), RATES[-1])) - low) / (high - low)
    return BOTTOM - (BOTTOM - TOP) * share
