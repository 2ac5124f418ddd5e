"""The partners that compose chord symbols, behind the port: `lstm` and `wavenet-notes`.

The call is read symbol by symbol when it is over, which costs milliseconds; the answer is drawn symbol by
symbol and ends with the last one that begins within the wanted length. It does not know whose turn it is:
the whole conversation is one piece to it, in which each turn begins after the usual wait. Pedals are neither
heard nor played. Before anything was ever heard it says nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from duet.note import Event, Note, order
from duet.request import Request
from models.chord_net import ChordNet, as_symbols, draw
from models.chord_symbols import BEGIN, LENGTHS, MOST, SYMBOL, VELOCITIES, notes_of_tokens, played, symbols_of
from models.events import GAPS, KEYS, LOWEST, bin_of, tokens_of
from models.hands import play_notes

UNTIL = 1.2
"""Shares of the wanted length by which every key is up."""
LONGEST_WAIT, USUAL_WAIT = 2.0, 0.3
"""Seconds; the usual one until a call has said better."""
MOST_AT_ONCE = 6
"""Symbols without a wait between them."""
RARELY, TIME_RARELY = 0.02, 0.003
"""What is less likely than this share of the likeliest is never drawn: keys and touch; waits and lengths."""


class ChordPartner:
    """A network over chord symbols that plays; what it must keep to is in `duet.ports.Partner`."""

    styles: Sequence[str] = ()

    def __init__(self, net: ChordNet) -> None:
        self._net = net.eval().requires_grad_(False)
        self._known = {shape: place for place, shape in enumerate(net.shapes)}
        tops = net.steps.max(1).values  # type: ignore[operator, union-attr]
        self._fits = torch.arange(KEYS)[:, None] + tops < KEYS
        self.forget()

    def forget(self) -> None:
        """Forget the whole conversation."""
        self._call: list[Event] = []
        self._mind: tuple[torch.Tensor, Any] | None = None
        self._answer: list[tuple[float, tuple[torch.Tensor, Any]]] = []
        self._answers = 0
        self._usual = bin_of(USUAL_WAIT)

    def hear(self, event: Event) -> None:
        """Keep an event of the call."""
        self._call.append(event)

    def cut(self, seconds: float) -> None:
        """Take back what was not heard of the last answer."""
        self._mind = next((mind for time, mind in self._answer if time >= seconds), self._mind)
        self._answer = []
        self._answers += 1

    def respond(self, request: Request) -> Iterator[Event]:
        """Compose the answer symbol by symbol."""
        self._read_call()
        self._answers += 1
        self._answer = []
        if self._mind is not None:
            yield from play_notes(self._compose(request, self._answers), UNTIL * request.seconds)

    @torch.inference_mode()
    def _read_call(self) -> None:
        notes = notes_of_tokens(tokens_of(sorted(self._call, key=order)))
        self._call = []
        if len(notes):
            notes["onset"] = (notes["onset"] - notes["onset"][0]).round(6)  # whatever the clock says
            notes["duration"] = notes["duration"].round(6)
            symbols = symbols_of(notes, self._known)
            waits = [wait for wait in symbols["wait"].tolist() if 0 < wait < BEGIN]
            self._usual = sorted(waits)[len(waits) // 2] if waits else self._usual
            if self._mind is not None:
                symbols["wait"][0] = self._usual
            self._read(symbols)

    def _read(self, symbols: np.ndarray) -> None:
        h, state = self._net.read(as_symbols(symbols), self._mind and self._mind[1])
        self._mind = h[:, -1], state

    def _compose(self, request: Request, number: int) -> Iterator[tuple[float, list[Note]]]:
        generator = torch.Generator().manual_seed(request.seed)
        time, at_once = 0.0, 0
        wait = self._usual
        while self._answers == number:
            assert self._mind is not None
            self._answer.append((time, self._mind))
            with torch.inference_mode():
                symbol = self._draw_symbol(wait, request.character.temperature, generator)
                self._read(np.array([symbol], SYMBOL))
                row = np.array(symbol, SYMBOL)
                waits = self._net.say_wait(self._mind[0])[0]
            yield (
                time,
                [
                    Note(time + key.delay, key.key + LOWEST, key.velocity, time + key.delay + key.duration)
                    for key in played(row[()], self._net.shapes)
                ],
            )
            at_once = at_once + 1 if not wait else 0
            if at_once >= MOST_AT_ONCE:
                waits = waits.masked_fill(torch.arange(len(waits)) == 0, -torch.inf)
            wait = draw(waits, request.character.temperature, TIME_RARELY, generator)
            time += min(LONGEST_WAIT, float(GAPS[wait]))
            if time >= request.seconds:
                return

    def _draw_symbol(self, wait: int, temperature: float, generator: torch.Generator) -> tuple[Any, ...]:
        """The rest of a symbol whose wait is known."""
        assert self._mind is not None
        h, net = self._mind[0], self._net
        waited = torch.tensor([wait])
        root = draw(net.root_logits(h, waited)[0], temperature, RARELY, generator)
        shapes = net.shape_logits(h, waited, torch.tensor([root]))[0]
        shape = draw(shapes.masked_fill(~self._fits[root], -torch.inf), temperature, RARELY, generator)
        touch = np.zeros((3, MOST), int)
        below = torch.tensor([VELOCITIES]), torch.tensor([LENGTHS])
        none = torch.tensor([0])
        for place, step in enumerate(net.shapes[shape]):
            key, delay, velocity = torch.tensor([root + step]), none, none
            delay = torch.tensor(
                [draw(net.touch_logits(h, key, below, delay, velocity)[0][0], temperature, RARELY, generator)]
            )
            velocity = torch.tensor(
                [draw(net.touch_logits(h, key, below, delay, velocity)[1][0], temperature, RARELY, generator)]
            )
            lengths = net.touch_logits(h, key, below, delay, velocity)[2][0]
            length = torch.tensor([draw(lengths, temperature, TIME_RARELY, generator)])
            touch[:, place] = int(delay), int(velocity), int(length)
            below = velocity, length
        return (wait, root, shape, *touch)
