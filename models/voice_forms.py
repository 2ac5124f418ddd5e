"""The forms of the voice: what each is taught by, and what each is judged by."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from duet.errors import DuetError
from duet.piece import Piece


def train_form(
    form: str,
    config: str,
    pieces: Iterable[Piece],
    soundfont: Path,
    out: Path,
    minutes: float,
    resume: bool,
    device: str,
    seed: int,
    run: Path,
    clock: Callable[[], float],
    start_from: Path | None = None,
    compiled: bool = False,
) -> None:
    """Train a voice of this form by the preset named, its first if none is. Raises DuetError.

    clock: what the minutes are counted by, in seconds. start_from: weights to go on from. compiled: fuse the network's
    operations, whatever the preset says.
    """
    from models.train_ensemble import train_ensemble
    from models.train_voice import train_voice
    from models.voice_presets import PRESETS

    presets = PRESETS[form]
    if config not in ("", *presets):
        raise DuetError(f"{form} has no config {config!r}; there are {', '.join(presets)}")
    preset = presets[config or next(iter(presets))]
    if compiled:
        preset = replace(preset, train=replace(preset.train, compiled=True))
    train = train_ensemble if form == "ensemble" else train_voice
    train(pieces, soundfont, out, minutes, resume, device, seed, run, preset, clock, start_from)


def judge(
    voice: Any, held_out: Callable[[], Iterable[Piece]], soundfont: Path, limit: int, picture: Path | None
) -> dict[str, Any]:
    """Judge a voice, all of them if it is an ensemble, and draw it beside the truth if a picture is wanted."""
    from models.ensemble_engine import EnsembleEngine
    from models.eval_ensemble import evaluate_ensemble
    from models.eval_voice import evaluate_voice
    from models.voice_page import draw_ensemble, draw_spectrograms

    several = isinstance(getattr(voice, "engine", None), EnsembleEngine)
    evaluate, draw = (evaluate_ensemble, draw_ensemble) if several else (evaluate_voice, draw_spectrograms)
    report = evaluate(voice, held_out(), soundfont, limit=limit)
    if picture:
        draw(voice, held_out(), picture, soundfont)
    return report
