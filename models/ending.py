"""Where an answer ends: it is composed as far as it may go, and cut where that sounds most like an end.

From the first moment at which the answer may end, its last part is drafted. Each stroke in the draft is a place
to end, judged by the network that is told nothing of the time left, as a listener would be: how likely
is it that no key is struck for a breath? From the best few everything is let go, and judged again once it is.
Lengths near the wanted one are favoured. What was found best is played.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from models.compose import Composer
from models.events import OFF, Step
from models.next_onset import next_onset
from models.partner import PartnerNet
from models.partner_step import State

TakeStep = Callable[[State, Step, Composer], State]
"""Steps the network on, and what it is like untold."""
Merit = Callable[[Composer, State], float]
CLOSED = 4
"""Places from which everything is let go."""
FAINT = 0.1
"""Seconds of silence to come that are judged at least."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stroke that the answer may end with."""

    steps: list[Step]
    """From where the draft begins up to it, or, closed, until all is let go."""
    merit: float
    """Nats."""
    composer: Composer
    state: State


def best_ending(
    net: PartnerNet, composer: Composer, state: State, take: TakeStep, roundness: float
) -> list[Step]:
    """The steps that are left, until all is let go.

    state: with what the network is like untold. roundness: nats that an ending loses for each square of the
    share by which it misses the wanted length.
    """

    def merit(composer: Composer, state: State) -> float:
        """How well the answer would end where it is."""
        assert state.bare is not None
        rest = max(FAINT, composer.breath - composer.waited)
        silent = 1 - next_onset(net, state.bare, state.hands).chance(rest)
        return math.log(max(silent, 1e-9)) - roundness * (composer.share - 1) ** 2

    places = sorted(_draft(composer.twin(), state, take, merit), key=lambda place: place.merit)
    best = Place([], -math.inf, composer, state)
    # the later ones first: letting go from a place undoes what was composed after it
    for place in sorted(places[-CLOSED:], key=lambda place: len(place.steps), reverse=True):
        best = max(best, _closed(place, take, merit), key=lambda place: place.merit)
    return best.steps or _closed(best, take, merit).steps


def _draft(composer: Composer, state: State, take: TakeStep, merit: Merit) -> list[Place]:
    """Compose on until no more keys may be struck: the strokes on the way."""
    steps: list[Step] = []
    places: list[Place] = []
    while True:
        step = composer.next(state)
        if step is None or composer.closing:
            return places
        steps.append(step)
        state = take(state, step, composer)
        if step.token < OFF:
            places.append(Place(list(steps), merit(composer, state), composer.twin(), state))


def _closed(place: Place, take: TakeStep, merit: Merit) -> Place:
    """The same place when everything has been let go."""
    steps, state, composer = list(place.steps), place.state, place.composer.twin()
    composer.closing = True
    while (step := composer.next(state)) is not None:
        steps.append(step)
        state = take(state, step, composer)
    return Place(steps, merit(composer, state), composer, state)
