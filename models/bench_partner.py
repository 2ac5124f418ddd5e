"""How quick the partner is on one core: each event heard, the first event answered, events a second.

The player is made up: two hands, a pedal, about ten notes a second, the same every time. The same steps are
taken by torch without the compiled kernel, and the conversation again while the voice sings on another core.
Memory is read along a conversation of any length, an hour of which takes some minutes.
"""

import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from duet.note import Event, NoteOff, NoteOn, Pedal, order
from duet.request import Request
from models.events import PLAYER, Step, steps_of
from models.neural import NeuralPartner
from models.partner import PartnerNet, hands_after, no_hands
from models.partner_file import load_net


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


CALL, ANSWER = 8.0, 4.0
"""Seconds of each turn."""


def converse(partner: NeuralPartner, turns: int) -> dict[str, float]:
    """Milliseconds and events a second over a conversation.

    By the clock, and, of hearing, also of the core's own time: what others took of it is the difference.
    """
    hearing: list[float] = []
    spent: list[float] = []
    first: list[float] = []
    events, composing = 0, 0.0
    for turn in range(turns):
        for event in made_up_call(CALL, turn):
            began, used = time.perf_counter(), time.thread_time()
            partner.hear(event)
            hearing.append(time.perf_counter() - began)
            spent.append(time.thread_time() - used)
        began = time.perf_counter()
        for number, _ in enumerate(partner.respond(Request(turn, ANSWER, seed=turn))):
            if not number:
                first.append(time.perf_counter() - began)
            events += 1
        composing += time.perf_counter() - began
    return {
        "hear_ms_p50": round(1000 * float(np.quantile(hearing, 0.5)), 2),
        "hear_ms_p95": round(1000 * float(np.quantile(hearing, 0.95)), 2),
        "hear_cpu_ms_p50": round(1000 * float(np.quantile(spent, 0.5)), 2),
        "hear_cpu_ms_p95": round(1000 * float(np.quantile(spent, 0.95)), 2),
        "first_note_ms_p50": round(1000 * float(np.quantile(first, 0.5)), 2),
        "first_note_ms_p95": round(1000 * float(np.quantile(first, 0.95)), 2),
        "events_per_second": round(events / composing, 1),
        "events_heard": len(hearing),
    }


def bench_partner(
    weights: Path, turns: int = 20, seconds: float = 10.0, beside_voice: bool = True
) -> dict[str, Any]:
    """All figures, on one thread. seconds: the length of the conversation that memory is read along."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        began = time.perf_counter()
        partner = NeuralPartner(weights)
        loading = time.perf_counter() - began
        report: dict[str, Any] = converse(partner, turns)
        report |= {"load_ms": round(1000 * loading), "turns": turns}
        report["eager_ms_p50"] = eager_step_ms(load_net(weights))
        if beside_voice:
            with singing_beside():
                report["beside_voice"] = converse(partner, turns)
        report["memory"] = memory_over(partner, seconds)
    finally:
        torch.set_num_threads(threads)
    return report


@torch.inference_mode()
def eager_step_ms(net: PartnerNet, measured: int = 200) -> float:
    """The median milliseconds of a step in plain torch, with a cache, its window full."""
    window = net.config.window
    loop = steps_of(made_up_call((window + measured) / 15, 0), PLAYER)[: window + measured]
    assert len(loop) == window + measured
    hands = no_hands()
    past: list[tuple[Tensor, Tensor]] = [(torch.empty(0), torch.empty(0))] * net.config.layers
    spent: list[float] = []
    for length, step in enumerate(loop):
        began = time.perf_counter()
        hands, past = eager_step(net, step, length, hands, past)
        spent.append(time.perf_counter() - began)
    return round(1000 * float(np.median(spent[-measured:])), 2)


def eager_step(
    net: PartnerNet, step: Step, length: int, hands: Any, past: list[tuple[Tensor, Tensor]]
) -> tuple[Any, list[tuple[Tensor, Tensor]]]:
    """What `Stepper.step` does, layer by layer in torch; past: each layer's keys and values."""
    after = hands_after(hands, step.gap, step.token)
    numbers = torch.tensor([[[step.gap]], [[step.token]], [[step.velocity]], [[0]]])
    x = net.describe(*numbers, hands.last, after)
    position = torch.tensor([length])
    kept: list[tuple[Tensor, Tensor]] = []
    for layer, (keys, values), window in zip(net.layers, past, net.config.windows, strict=True):
        query, key, value = layer.split(x, position)
        if length:
            key, value = torch.cat([keys, key], 2), torch.cat([values, value], 2)
        kept.append((key[:, :, -window:], value[:, :, -window:]))
        x = layer.join(x, functional.scaled_dot_product_attention(query, *kept[-1]))
    net.norm(x)
    return after, kept


@contextlib.contextmanager
def singing_beside() -> Iterator[None]:
    """The neural voice renders without a pause in another process, as it does at worst while one plays."""
    context = multiprocessing.get_context("spawn")
    ready, over = context.Event(), context.Event()
    process = context.Process(target=_sing, args=(ready, over), daemon=True)
    process.start()
    try:
        ready.wait(120)
        yield
    finally:
        over.set()
        process.join(10)
        if process.is_alive():
            process.kill()


def _sing(ready: Flag, over: Flag) -> None:
    """Main of that process."""
    torch.set_num_threads(1)
    from models.voice_listening import Script
    from models.voices import load_voice

    voice = load_voice("piano")
    while not over.is_set():
        blocks = voice.render(Script(made_up_call(60.0, 0)))
        for _ in range(int(60 * voice.sample_rate / voice.block_length)):
            next(blocks)
            ready.set()
            if over.is_set():
                return


def memory_over(partner: NeuralPartner, seconds: float) -> dict[str, Any]:
    """Megabytes resident at 13 moments of a conversation of that length, and what was added since the second."""
    partner.forget()
    turns = max(12, round(seconds / (CALL + ANSWER)))
    resident = [resident_mb()]
    for turn in range(turns):
        converse(partner, 1)
        if (turn + 1) * 12 // turns > turn * 12 // turns:
            resident.append(resident_mb())
    return {
        "seconds": round(turns * (CALL + ANSWER)),
        "resident_mb": resident,
        "growth_mb": round(resident[-1] - resident[1], 1),
    }


def resident_mb() -> float:
    """This process's memory in use."""
    if sys.platform.startswith("linux"):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
