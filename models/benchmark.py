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


def benchmark(
    names: Sequence[str], folder: Path, kept: Path, seeds: int = 5, factorised: int = 1
) -> dict[str, Any]:
    """Learn and judge each set with each seed; all sets with one seed before the next.

    factorised: how many seeds of the variant whose keys do not see each other; 0 of either is none.
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
    found: dict[bool, dict[str, list[float]]] = {
        apart: {name: [] for name in names} for apart in (False, True)
    }
    for apart, number in ((False, seeds), (True, factorised)):
        for seed in range(number):
            for name in names:
                found[apart][name].append(nats(name, seed, apart))
    result: dict[str, Any] = {}
    for name in names:
        splits = read_set(name, folder)
        place = 1 + list(FILES).index(name)
        result[name] = {
            **_summary("nats_per_frame", "spread", "seeds", found[False][name]),
            **_summary("factorised", "factorised_spread", "factorised_seeds", found[True][name]),
            "marginals": round(nats_of_marginals(splits["train"].frames, splits["test"].frames), 3),
            "target": TARGETS[name],
            "published": {row: values[place] for row, values in PUBLISHED.items() if values[place]},
        }
    return result


def _summary(mean: str, spread: str, seeds: str, values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation under those names, None where there are too few values; and the values."""
    return {
        mean: round(float(np.mean(values)), 3) if values else None,
        spread: round(float(np.std(values, ddof=1)), 3) if len(values) > 1 else None,
        seeds: [round(value, 4) for value in values],
    }


def as_table(result: dict[str, Any]) -> str:
    """The result as rows under each other, ours first."""
    names = list(result)

    def line(title: str, kind: str, cells: Sequence[str]) -> str:
        return f"{title:48}{kind:24}" + "".join(f"{cell:>16}" for cell in cells)

    def number(value: float | None) -> str:
        return f"{value:.2f}" if value is not None else "-"

    def ours(kind: str, mean: str, spread: str, seeds: str) -> list[str]:
        runs = len(result[names[0]][seeds])
        if not runs:
            return []
        cells = [
            f"{row[mean]:.3f}" + (f" ±{row[spread]:.3f}" if row[spread] is not None else "")
            for row in result.values()
        ]
        return [line("Duet, one seed" if runs == 1 else f"Duet, {runs} seeds, mean ± deviation", kind, cells)]

    rows = [
        line("test nats a frame", "keys of a frame", names),
        *ours("joint", "nats_per_frame", "spread", "seeds"),
        *ours("factorised", "factorised", "factorised_spread", "factorised_seeds"),
        line("each key by itself", "", [number(row["marginals"]) for row in result.values()]),
    ]
    for name, (kind, *_) in PUBLISHED.items():
        rows.append(line(name, kind, [number(row["published"].get(name)) for row in result.values()]))
    return "\n".join(rows)
