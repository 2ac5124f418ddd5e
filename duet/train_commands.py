"""The command that makes the networks; heavy imports stay inside it."""

import argparse
import logging
import os
import shutil
import time

from duet.commands import writable
from duet.errors import DuetError
from duet.music_folders import RUNS, data_of
from duet.wiring import one_thread


def train(options: argparse.Namespace) -> None:
    """Train a network and say where its weights are."""
    from duet.library import read_pieces

    logging.getLogger().setLevel(logging.INFO)
    options.data = data_of(options)
    kind = options.partner if options.what == "partner" else options.voice
    rival = options.what == "partner" and not kind.startswith("neural")
    name = kind if rival or kind in {"piano-ar", "ensemble", "neural-grid"} else options.what
    if options.core_minutes and options.device != "cpu":
        raise DuetError("--core-minutes is for training on the CPU; elsewhere --minutes counts")
    if options.compile:
        _check_compiler(rival)
    clock = time.process_time if options.core_minutes else time.monotonic
    minutes = options.core_minutes or options.minutes
    run = RUNS / ("rivals" if rival else name)
    out = options.out or run / f"{name}.safetensors"
    writable(run)
    writable(out.parent)
    pieces = read_pieces(options.data, ("train", "valid"))
    if rival or options.core_minutes:
        one_thread()
    if rival:
        if options.start_from or options.device != "cpu":
            raise DuetError(f"{kind} learns from nothing and on the CPU: leave out --from and --device")
        from models.train_rival import train_rival

        train_rival(kind, pieces, out, minutes, run, resume=options.resume, seed=options.seed, clock=clock)
    elif options.what == "partner":
        from models.train_partner import train_partner

        train_partner(
            pieces, out, minutes, run, resume=options.resume, device=options.device, seed=options.seed,
            start_from=options.start_from, clock=clock, on_grid=kind == "neural-grid", rehearse=options.rehearse,
            compiled=options.compile, preset=options.config,
        )  # fmt: skip
    else:
        from models.voice_forms import train_form

        train_form(
            kind, options.config, pieces, options.soundfont, out, minutes, options.resume, options.device, options.seed,
            run, clock, options.start_from, options.compile,
        )  # fmt: skip
    print(f"written: {out}")


def _check_compiler(rival: bool) -> None:
    """Raises DuetError if nothing can be compiled here."""
    if rival:
        raise DuetError("--compile is for the neural partner and the voices: leave it out")
    if not any(map(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++", "cl"))):
        raise DuetError(
            "--compile needs a C++ compiler, and there is none: install g++ or clang, or leave it out"
        )
