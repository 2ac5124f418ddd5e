"""The commands that judge and time the networks; heavy imports stay inside them."""

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from duet.bench_notice import notice
from duet.commands import writable
from duet.errors import DuetError, FileError
from duet.music_folders import BENCHMARKS, RUNS, data_of, found
from duet.piece import Piece
from duet.progress import working
from duet.wiring import load_partner, load_voice, one_thread, weights_of


def eval(options: argparse.Namespace) -> None:
    """Judge a network, or the turn-taking, on held-out pieces."""
    if options.benchmark:
        _benchmark(options)
        return
    if options.choices:
        _tally(options)
        return
    options.data = data_of(options)
    if options.listening:
        _listening(options)
        return
    text = f"judging the {options.what}: this takes minutes"
    has_log = options.what == "partner"  # that says how far it is
    with nullcontext() if has_log else working(text):
        report = _judge(options)
    _print_report(report, options.json)


def _judge(options: argparse.Namespace) -> Mapping[str, Any]:
    report: Mapping[str, Any]
    if options.what == "partner":
        one_thread()  # torch asks for it once, when it is imported: by what follows
    match options.what:
        case "voice":
            from models.voice_forms import judge

            voice = load_voice(options.weights or "piano")
            report = judge(
                voice, lambda: _held_out(options), options.soundfont, options.pieces, options.picture
            )
        case "partner" if _is_rival(options.weights):
            from models.eval_rival import evaluate_rival

            report = evaluate_rival(
                options.weights, _held_out(options), _cache(options), answers=options.answers,
                against=_weights_named(options.against),
            )  # fmt: skip
        case "partner":
            from duet.library import has_manifest, read_pieces, versions
            from models.eval_partner import evaluate_partner

            learnt = read_pieces(options.data, ("train", "valid")) if has_manifest(options.data) else None
            if options.styles and learnt is None:
                raise FileError(
                    f"{options.data}: --styles needs a manifest.csv, whose train split teaches the judge"
                )
            logging.getLogger().setLevel(logging.INFO)
            report = evaluate_partner(
                weights_of("partner", options.weights), _held_out(options), learnt, _cache(options),
                answers=options.answers, knobs=options.knobs, styles=options.styles, spans=options.spans,
                piece_of=versions(options.data), against=_weights_named(options.against),
                parts=options.only, workers=options.workers, baselines=not options.no_baselines,
            )  # fmt: skip
        case _:
            from duet.eval_turns import evaluate_turns

            listener = load_partner(options.weights or "neural")
            report = evaluate_turns(_held_out(options), options.pieces, listener)
            if options.picture:
                from duet.turns_picture import draw_turns

                draw_turns(options.picture, report["policies"])
    return report


def _listening(options: argparse.Namespace) -> None:
    """Make the blind listening test and say where it is."""
    if options.what != "partner":
        raise DuetError(f"--listening is for `duet eval partner`, not for {options.what}")
    one_thread()
    from duet.midi import write_midi
    from models.listening_page import build_page
    from models.partner_data import read_tunes, write_tunes
    from models.partners import load_partner

    writable(options.listening.parent)
    cache = _cache(options) / "test.npz"
    if not cache.exists():
        write_tunes(cache, _held_out(options))
    tunes = read_tunes(cache)
    other = options.against or "lstm"
    partners = {"duet": load_partner(options.weights or "neural"), other: load_partner(other)}
    played = [tune for tune in tunes if tune.expressive] or tunes
    key = build_page(partners, load_voice("piano"), played, options.listening, write_midi)
    print(f"written: {options.listening / 'index.html'}; who is who: {key}")


def _tally(options: argparse.Namespace) -> None:
    """Say how each hand did in a listening test."""
    from models.listening_page import tally

    folder = options.listening or Path("docs/listening")
    key = folder.with_name(f"{folder.name}-KEY.json")
    missing = next((path for path in (key, *options.choices) if not path.is_file()), None)
    if missing:
        raise FileError(
            f"{missing}: no such file; --listening names the test's folder, --choices its results"
        )
    _print_report(tally(options.choices, key), options.json)


def _weights_named(name: str) -> Path | None:
    """The weights file of a partner's name, or the file that is named; None if none is."""
    from models.partners import RIVALS, WEIGHTS

    if name in ("neural", *RIVALS):
        return WEIGHTS / f"{'partner' if name == 'neural' else name}.safetensors"
    return Path(name) if name else None


def _is_rival(weights: str) -> bool:
    """Whether --weights names a partner of an older kind, or a file of one."""
    if not weights:
        return False
    from models.partners import RIVALS
    from models.rivals import is_rival

    return weights in RIVALS or is_rival(Path(weights))


def _benchmark(options: argparse.Namespace) -> None:
    """Learn the standard sets and print our rows among the published ones."""
    if options.what != "partner":
        raise DuetError(f"--benchmark is for `duet eval partner`, not for {options.what}")
    one_thread()
    from models.benchmark import as_table, benchmark
    from models.benchmark_sets import FILES

    logging.getLogger().setLevel(logging.INFO)
    names = list(FILES) if options.benchmark == "all" else [options.benchmark]
    folder = found(options.data, BENCHMARKS, "benchmark sets", "the folder of jsb_chorales.npz")
    kept = writable(RUNS / "benchmark")
    report = benchmark(names, folder, kept, options.seeds, options.factorised)
    print(json.dumps(report) if options.json else as_table(report))


def bench(options: argparse.Namespace) -> None:
    """Measure speed."""
    if sys.stderr.isatty() and options.what != "soak":  # whose bar says so itself
        print(notice(options.what, options.seconds, options.device == "cuda"), file=sys.stderr)
    match options.what:
        case "voice" if options.voice:
            from models.bench_voice import bench_named

            report = bench_named(load_voice(options.voice), options.seconds)
        case "voice":
            one_thread()
            from models.bench_triton import bench_gpu
            from models.bench_voice import bench_voice

            weights = Path(options.weights) if options.weights else None
            report = bench_gpu() if options.device == "cuda" else bench_voice(weights, options.seconds)
            if options.picture:
                from models.voice_page import draw_speeds

                draw_speeds(report, options.picture)
        case "partner":
            one_thread()
            from models.bench_partner import bench_partner

            report = bench_partner(weights_of("partner", options.weights), seconds=options.seconds)
        case "face":
            from duet.bench_face import bench_face

            report = bench_face(options.seconds)
        case "soak":
            from duet.bench_soak import bench_soak

            partner, voice = load_partner(options.partner), load_voice(options.voice or "sine")
            with working(f"playing for {options.minutes:g} minutes in virtual time: this takes some, too"):
                report = bench_soak(partner, voice, options.minutes)
        case "studio":
            from duet.bench_studio import bench_studio

            report = bench_studio(options.voice or "piano", options.seconds)
        case "daw":
            from duet.bench_daw import bench_daw

            report = bench_daw()
        case _:
            from duet.bench_live import bench_live

            turns = max(2, round(options.seconds / 5))
            report = bench_live(
                options.partner, options.voice or "piano", turns, options.busy, options.with_face
            )
    _print_report(report, options.json)


def _held_out(options: argparse.Namespace) -> Iterator[Piece]:
    """The pieces to judge on: the test split; all, if the shipped weights are judged on somebody's own folder."""
    from duet.library import has_manifest, read_pieces

    own_split = has_manifest(options.data) or options.weights
    return read_pieces(options.data, ("test",) if own_split else ("train", "valid", "test"))


def _cache(options: argparse.Namespace) -> Path:
    """A folder for what was read of this data, another one as soon as a file of it changes."""
    if not options.data.is_dir():
        raise FileError(f"{options.data}: no such folder; --data takes a folder of MIDI files")
    from duet.library import has_manifest

    folder = options.data.resolve()
    key = hashlib.sha256(f"{folder} {has_manifest(folder) or bool(options.weights)}".encode())
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        key.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return writable(RUNS / f"eval-{key.hexdigest()[:12]}")


def _print_report(report: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(report))
        return
    for key, value in report.items():
        print(f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}")
