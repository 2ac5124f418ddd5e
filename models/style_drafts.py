"""Where a style is asked for: some seconds are drafted a few times over, and a listener picks what is most in it.

The listener is a judge of `models/style_judge.py` that has learnt from one half of the train split's pieces; who
judges the partner (`models/eval_styles.py`) learns from the other half. The beginning is not drafted, or nobody would
be answered at once.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from duet.note import Event, let_go
from models.compose import Composer
from models.events import Step, event_of
from models.partner_step import State, Stepper
from models.style_traits import traits

TakeStep = Callable[[State, Step, Composer], State]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StyleListener:
    """What a judge has learnt."""

    styles: Sequence[str]
    arrays: dict[str, Floats]
    """mean and spread of the traits, then weight and bias of two layers, hidden and out."""

    def merit(self, events: Sequence[Event], style: str) -> float:
        """How likely the style is, in nats; nothing is said of less than four notes."""
        row = traits(events)
        if row is None:
            return -math.inf
        part = self.arrays
        x = ((row - part["mean"]) / part["spread"]).clip(-6, 6)
        hidden = np.maximum(0, part["hidden.weight"] @ x + part["hidden.bias"])
        logits = part["out.weight"] @ hidden + part["out.bias"]
        logits -= logits.max()
        return float(logits[self.styles.index(style)] - np.log(np.exp(logits).sum()))


def save_listener(listener: StyleListener, path: Path) -> None:
    """Write it, with the styles' names."""
    save_file(listener.arrays, path, {"kind": "listener", "styles": " ".join(listener.styles)})


def load_listener(path: Path, styles: Sequence[str]) -> StyleListener | None:
    """The listener of a file; None if the file is not there or tells of other styles."""
    if not path.exists():
        return None
    with safe_open(path, "np") as file:
        if (file.metadata() or {}).get("styles", "").split() != list(styles):
            return None
        return StyleListener(tuple(styles), {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


@dataclass(frozen=True, slots=True)
class Draft:
    """A stretch of an answer."""

    steps: list[Step]
    states: list[State]
    """After each of the steps."""
    events: list[Event]
    """The steps as events of the answer."""


def best_draft(
    composer: Composer,
    state: State,
    stepper: Stepper,
    take: TakeStep,
    merit: Callable[[Sequence[Event]], float],
    said: Sequence[Event],
) -> Draft:
    """The best of some drafts, the stepper's cache being as after it.

    merit: how good an answer is as far as it goes; said: what there is of it.
    """
    best, most, rows = Draft([], [], []), -math.inf, None
    for number in range(composer.drafts):
        draft = _draft(composer.twin(), state, take, number)
        whole = [*said, *draft.events]
        found = merit([*whole, *let_go(whole, whole[-1].time)]) if draft.steps else -math.inf
        if draft.steps and (not best.steps or found > most):
            best, most = draft, found
            rows = stepper.rows(state.length, draft.states[-1].length)
    if rows:
        stepper.put_back(state.length, rows)
    return best


def _draft(composer: Composer, state: State, take: TakeStep, number: int) -> Draft:
    composer.another(number)
    end = composer.time + min(composer.stretch, composer.time)  # what is composed must last while drafting
    draft = Draft([], [], [])
    while composer.time < end and not composer.may_end and (step := composer.next(state)) is not None:
        state = take(state, step, composer)
        draft.steps.append(step)
        draft.states.append(state)
        draft.events.append(event_of(step.token, composer.time, step.velocity))
    return draft
