"""The curve of a training: a row of a CSV file for each report, and a picture of it if matplotlib is there."""

import csv
import math
from pathlib import Path


def add_row(curve: Path, row: dict[str, float]) -> None:
    """Append a report; columns are those of the first, and what a row does not know (nan) stays empty."""
    columns = list(row)
    if curve.exists():
        with curve.open(newline="") as file:
            columns = next(csv.reader(file))
    with curve.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerow({name: "" if math.isnan(value) else value for name, value in row.items()})


def draw_curve(curve: Path, picture: Path) -> bool:
    """Draw the loss, and the free-running scores under it; False if matplotlib is not installed."""
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return False
    with curve.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure, axes = pyplot.subplots(2, 1, figsize=(8, 6), sharex=True)
    for axis, names in zip(axes, (("loss",), ("onset_f1_ratio", "logmel_rmse_db")), strict=True):
        for name in names:
            points = [(float(row["minutes"]), float(row[name])) for row in rows if row.get(name)]
            if points:
                axis.plot(*zip(*points, strict=True), marker="." if len(points) < 50 else "", label=name)
                axis.legend()
    axes[1].set_xlabel("minutes")
    figure.tight_layout()
    figure.savefig(picture, dpi=80)
    pyplot.close(figure)
    return True
