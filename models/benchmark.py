"""Duet's rows among the published ones on the four polyphonic sets: test nats a frame.

Protocol (`shared/benchmarks/published.md`): teacher forcing, exact joint likelihood key by key, low to high;
the mean over all frames of all pieces, first frames included; no beat in the input; data as distributed,
without transposition. The factorised variant, whose keys do not see each other, stands apart.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from models.benchmark_learn import LEARNING, Prepared, learn_set, prepare
from models.benchmark_sets import FILES, PUBLISHED, TARGETS, nats_of_marginals, read_set

logger = logging.getLogger(__name__)


def benchmark(names: Sequence[str], folder: Path, kept: Path, seeds: int = 5) -> dict[str, Any]:
    """Learn and judge each set with each seed; all sets with one seed before the next.

    kept: folder of finished runs, which are read and not made again unless the way to learn has changed.
    """

    @cache
    def prepared(name: str) -> Prepared:
        return prepare(read_set(name, folder))

    def nats(name: str, seed: int, factorised: bool = False) -> float:
        learning = LEARNING[name]
        learning = replace(learning, net=replace(learning.net, factorised=factorised))
        way = hashlib.sha256(repr(asdict(learning)).encode()).hexdigest()[:8]
        path = kept / f"{name}-{'factorised' if factorised else 'joint'}-{seed}-{way}.json"
        if not path.exists():
            logger.info("%s, seed %d%s", name, seed, ", factorised" if factorised else "")
            path.write_text(json.dumps(learn_set(prepared(name), learning, seed)))
        return float(json.loads(path.read_text())["test"])

    for name in names:
        read_set(name, folder)  # before hours are spent on the others
    joint = {name: [0.0] * seeds for name in names}
    for seed in range(seeds):
        for name in names:
            joint[name][seed] = nats(name, seed)
    result: dict[str, Any] = {}
    for name in names:
        splits = read_set(name, folder)
        place = 1 + list(FILES).index(name)
        result[name] = {
            "nats_per_frame": round(float(np.mean(joint[name])), 3),
            "spread": round(float(np.std(joint[name], ddof=1)), 3) if seeds > 1 else None,
            "seeds": [round(value, 4) for value in joint[name]],
            "factorised": round(nats(name, 0, factorised=True), 3),
            "marginals": round(nats_of_marginals(splits["train"].frames, splits["test"].frames), 3),
            "target": TARGETS[name],
            "published": {row: values[place] for row, values in PUBLISHED.items() if values[place]},
        }
    return result


def as_table(result: dict[str, Any]) -> str:
    """The result as rows under each other, ours first."""
    names = list(result)
    seeds = len(result[names[0]]["seeds"])

    def line(title: str, kind: str, cells: Sequence[str]) -> str:
        return f"{title:48}{kind:24}" + "".join(f"{cell:>16}" for cell in cells)

    def number(value: float | None) -> str:
        return f"{value:.2f}" if value is not None else "-"

    ours = [
        f"{row['nats_per_frame']:.3f}" + (f" ±{row['spread']:.3f}" if row["spread"] is not None else "")
        for row in result.values()
    ]
    rows = [
        line("test nats a frame", "keys of a frame", names),
        line(f"Duet, {seeds} seeds, mean ± deviation", "joint", ours),
        line("Duet, one seed", "factorised", [f"{row['factorised']:.3f}" for row in result.values()]),
        line("each key by itself", "", [number(row["marginals"]) for row in result.values()]),
    ]
    for title, (kind, *_) in PUBLISHED.items():
        rows.append(line(title, kind, [number(row["published"].get(title)) for row in result.values()]))
    return "\n".join(rows)
