"""A partner's training run in its folder: state, curve and picture, and the bar that shows how far it is."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write it whole or not at all."""
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def note(path: Path, row: Mapping[str, object]) -> None:
    """Add a row to a curve."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def forget_after(path: Path, iteration: int) -> None:
    """Drop a curve's rows from an iteration on: what a run that goes on from there will say again."""
    if path.exists():
        rows = _read(path)
        path.unlink()
        for row in rows:
            if int(row["iteration"]) < iteration:
                note(path, row)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


SIZE, MARGIN = (900, 420), 60
INKS = {"nats_per_note": "#1b6ca8", "told": "#c1440e"}


def draw_curve(curve: Path, picture: Path) -> None:
    """Draw a curve: held-out nats a note over minutes, told nothing and told what the turn is like."""
    rows = [{name: float(value) for name, value in row.items()} for row in _read(curve)]
    minutes = [row["seconds"] / 60 for row in rows]
    lines = {name: [row[name] for row in rows] for name in INKS if rows and name in rows[0]}
    values = [value for line in lines.values() for value in line]
    if len(rows) < 2 or not values:
        return
    low, high = min(values), max(values)
    low, high = low - 0.05 * (high - low + 0.01), high + 0.05 * (high - low + 0.01)
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN

    def place(minute: float, value: float) -> tuple[float, float]:
        across = (minute - minutes[0]) / max(1e-9, minutes[-1] - minutes[0])
        return MARGIN + across * width, MARGIN + (high - value) / (high - low) * height

    for share in _shares():
        value, minute = low + share * (high - low), minutes[0] + share * (minutes[-1] - minutes[0])
        y, x = place(minutes[0], value)[1], place(minute, low)[0]
        pen.line([(MARGIN, y), (MARGIN + width, y)], fill="#dddddd")
        pen.text((8, y - 6), f"{value:.2f}", fill="black")
        pen.text((x - 10, MARGIN + height + 8), f"{minute:.0f} min", fill="black")
    for index, (name, line) in enumerate(lines.items()):
        pen.line([place(*point) for point in zip(minutes, line, strict=True)], fill=INKS[name], width=2)
        words = {"nats_per_note": "held-out nats a note", "told": "the same, told what the turn is like"}
        pen.text((MARGIN + 300 * index, 24), words[name], fill=INKS[name])
    image.save(picture)


def _shares() -> Iterable[float]:
    return (0.0, 0.25, 0.5, 0.75, 1.0)
