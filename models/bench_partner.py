"""How quick the partner is on one core: each event heard, the first event answered, events a second.

The player is made up: two hands, a pedal, about ten notes a second, the same every time.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from duet.note import Event, NoteOff, NoteOn, Pedal, order
from duet.request import Request
from models.neural import NeuralPartner


def made_up_call(seconds: float, seed: int) -> list[Event]:
    """Somebody playing."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    for hand, low in ((0, 40), (1, 62)):
        moment = 0.1 * hand
        while moment < seconds:
            pitch = int(low + rng.integers(0, 20))
            events += [NoteOn(moment, pitch, int(rng.integers(40, 90))), NoteOff(moment + 0.25, pitch)]
            moment += float(rng.choice([0.15, 0.2, 0.3]))
    for moment in np.arange(0, seconds, 2.0):
        events += [Pedal(float(moment), 127), Pedal(float(moment) + 1.8, 0)]
    return sorted(events, key=order)


def bench_partner(weights: Path, turns: int = 20) -> dict[str, Any]:
    """Milliseconds and events a second over a conversation, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        began = time.perf_counter()
        partner = NeuralPartner(weights)
        loading = time.perf_counter() - began
        hearing: list[float] = []
        first: list[float] = []
        events, composing = 0, 0.0
        for turn in range(turns):
            for event in made_up_call(8.0, turn):
                began = time.perf_counter()
                partner.hear(event)
                hearing.append(time.perf_counter() - began)
            began = time.perf_counter()
            for number, _ in enumerate(partner.respond(Request(turn, 4.0, seed=turn))):
                if not number:
                    first.append(time.perf_counter() - began)
                events += 1
            composing += time.perf_counter() - began
    finally:
        torch.set_num_threads(threads)
    return {
        "hear_ms_p50": round(1000 * float(np.quantile(hearing, 0.5)), 2),
        "hear_ms_p95": round(1000 * float(np.quantile(hearing, 0.95)), 2),
        "first_note_ms_p50": round(1000 * float(np.quantile(first, 0.5)), 2),
        "first_note_ms_p95": round(1000 * float(np.quantile(first, 0.95)), 2),
        "events_per_second": round(events / composing, 1),
        "load_ms": round(1000 * loading),
        "events_heard": len(hearing),
        "turns": turns,
    }
