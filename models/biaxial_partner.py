"""The partner `biaxial`: Deep Jammer's network behind the port.

The call is put on the grid and read when it is over; the answer is drawn step by step, each fed back. Touch
is not modelled: every key is struck as the call's were in the middle. Pedals are neither heard nor played.
Before anything was ever heard it says nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from duet.note import Event, NoteOff, NoteOn, order
from duet.request import Request
from models.biaxial import STEP, BiaxialNet, Grid, grid_of_notes
from models.chord_symbols import notes_of_tokens
from models.events import KEYS, LOWEST, tokens_of
from models.hands import MOST_KEYS

IMPATIENCE = 0.9
"""How much the power of the likelihoods falls with each silent step, until something sounds."""


class BiaxialPartner:
    """A network over a grid that plays; what it must keep to is in `duet.ports.Partner`."""

    styles: Sequence[str] = ()

    def __init__(self, net: BiaxialNet) -> None:
        self._net = net.eval().requires_grad_(False)
        self.forget()

    def forget(self) -> None:
        """Forget the whole conversation."""
        self._call: list[Event] = []
        self._mind: tuple[torch.Tensor, Any] | None = None
        self._answer: list[tuple[float, tuple[torch.Tensor, Any]]] = []
        self._answers = 0
        self._velocity = 64

    def hear(self, event: Event) -> None:
        """Keep an event of the call."""
        self._call.append(event)

    def cut(self, seconds: float) -> None:
        """Take back what was not heard of the last answer."""
        self._mind = next((mind for time, mind in self._answer if time >= seconds), self._mind)
        self._answer = []
        self._answers += 1

    def respond(self, request: Request) -> Iterator[Event]:
        """Compose the answer step by step."""
        steps = self._read_call()
        self._answers += 1
        self._answer = []
        if self._mind is not None:
            yield from self._compose(request, self._answers, steps)

    def _read_call(self) -> int:
        """Read the call that has just ended; how many steps it has."""
        notes = notes_of_tokens(tokens_of(sorted(self._call, key=order)))
        self._call = []
        if not len(notes):
            return 0
        self._velocity = int(np.median(notes["velocity"]))
        notes["onset"] -= notes["onset"][0]
        grid = grid_of_notes(notes)
        self._read(grid, 0)
        return len(grid)

    @torch.inference_mode()
    def _read(self, grid: Grid, first: int) -> None:
        h, state = self._net.along_time(torch.from_numpy(grid)[None], first, self._mind and self._mind[1])
        self._mind = h[0, -1], state

    def _compose(self, request: Request, number: int, first: int) -> Iterator[Event]:
        generator = torch.Generator().manual_seed(request.seed)
        held: set[int] = set()
        step, eager = 0, 1.0
        began = False
        while self._answers == number and step * STEP < request.seconds:
            assert self._mind is not None
            self._answer.append((step * STEP, self._mind))
            with torch.inference_mode():
                chosen = self._net.draw(self._mind[0], request.character.temperature, eager, generator)
            self._read(chosen[None], first)
            began = began or bool(chosen.any())
            eager = 1.0 if chosen.any() else IMPATIENCE * eager
            if began:
                yield from self._change(held, chosen, step * STEP)
                step += 1
            first += 1
        for key in sorted(held):
            yield NoteOff(step * STEP, key + LOWEST)

    def _change(self, held: set[int], chosen: np.ndarray, time: float) -> Iterator[Event]:
        """What hands do to come from the keys held to those chosen."""
        for key in sorted(held):
            if not chosen[key, 0] or chosen[key, 1]:
                held.remove(key)
                yield NoteOff(time, key + LOWEST)
        for key in range(KEYS):
            if chosen[key, 0] and key not in held and len(held) < MOST_KEYS:
                held.add(key)
                yield NoteOn(time, key + LOWEST, self._velocity)
