"""The options of the commands that make, judge and time the networks."""

import argparse
from pathlib import Path

from duet.option_kit import PARTNER_HELP, VOICE_HELP, Commands, command, count, positive, share, whole

PARTS = ("notes", "answers", "knobs", "styles", "spans")
"""What `duet eval partner` judges, as in `models/eval_partner.py`."""


def add_model_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """`train`, `eval`, `bench`."""
    train = command(
        commands,
        "train",
        "train the partner or the voice on a folder of MIDI files",
        "duet train partner --data my_midi --minutes 10",
        "duet.train_commands",
    )
    train.add_argument("what", choices=("partner", "voice"))
    train.add_argument(
        "--partner",
        choices=("neural", "lstm", "wavenet-notes", "biaxial", "neural-grid"),
        default="neural",
        help="partner: which kind of network (default neural); neural-grid: its kind on biaxial's grid, to compare",
    )
    train.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="MIDI files; a manifest.csv in it gives the splits (default: corpus or ../shared/corpus)",
    )
    train.add_argument(
        "--out",
        type=Path,
        metavar="WEIGHTS",
        help="where the weights go (default: runs/WHAT/WHAT.safetensors)",
    )
    train.add_argument(
        "--minutes", type=positive, default=30.0, metavar="M", help="time to train (default 30)"
    )
    train.add_argument(
        "--core-minutes",
        type=positive,
        metavar="M",
        help="instead: minutes of one core's own time on one thread, the same budget on a busy machine",
    )
    train.add_argument(
        "--voice",
        default="piano",
        choices=("piano", "piano-ar", "ensemble"),
        help="voice: which form (default piano); ensemble: one network for piano, organ, guitar, strings and vibes",
    )
    train.add_argument(
        "--config",
        default="",
        metavar="PRESET",
        help="voice: a named size, as listed in models/voice_presets.py; partner, with --from: tuning (default), "
        "or further: for hours on the music that the weights have learnt from",
    )
    train.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument(
        "--from",
        dest="start_from",
        type=Path,
        metavar="WEIGHTS",
        help="start from these weights; a voice keeps their measured instruments",
    )
    train.add_argument(
        "--compile",
        action="store_true",
        help="fuse the network's operations first: that takes minutes and a C++ compiler, then every step is quicker",
    )
    train.add_argument(
        "--rehearse",
        type=share,
        metavar="SHARE",
        help="partner, with --from: how many of the windows are for keeping what those weights know "
        "(default 0.25, with --config further 0; 0: what is not in the folder is forgotten)",
    )
    train.add_argument(
        "--soundfont",
        type=Path,
        default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
        metavar="SF2",
        help="voice: what FluidSynth renders the targets with",
    )
    judge = command(
        commands,
        "eval",
        "judge the partner, the voice or the turn-taking on held-out pieces",
        "duet eval voice --data corpus --pieces 10 --json",
        "duet.model_commands",
    )
    judge.add_argument("what", choices=("partner", "voice", "turns"))
    judge.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="MIDI files; the test split of its manifest.csv if it has one (default: as for train)",
    )
    judge.add_argument(
        "--pieces",
        type=int,
        default=10,
        metavar="N",
        help="voice, turns: how many pieces at most (default 10)",
    )
    judge.add_argument(
        "--weights", default="", metavar="NAME|FILE", help="which partner or voice (default: the shipped one)"
    )
    judge.add_argument(
        "--soundfont",
        type=Path,
        default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
        metavar="SF2",
        help="voice: what the truth is rendered with",
    )
    judge.add_argument(
        "--picture",
        type=Path,
        metavar="PNG",
        help="voice: also draw spectrograms, model beside truth; turns: the curves",
    )
    judge.add_argument(
        "--benchmark",
        choices=("all", "jsb", "nottingham", "piano_midi", "musedata"),
        help="partner: test nats a frame on the standard polyphonic sets, beside published ones; "
        "--data takes their folder (default: benchmarks or ../shared/benchmarks)",
    )
    judge.add_argument(
        "--knobs",
        type=whole,
        default=0,
        metavar="CALLS",
        help="partner: also turn every knob on so many calls and measure whether the answers follow",
    )
    judge.add_argument(
        "--styles",
        type=whole,
        default=0,
        metavar="CALLS",
        help="partner: also ask for every style on so many calls and let an independent judge say which it is",
    )
    judge.add_argument(
        "--spans",
        type=whole,
        default=0,
        metavar="STEPS",
        help="partner: also hold one layer after another to a past of so many steps and measure what that costs",
    )
    judge.add_argument(
        "--answers",
        type=whole,
        default=150,
        metavar="N",
        help="partner: on how many passages the answers are judged (default 150)",
    )
    judge.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        metavar="PART",
        help=f"partner: of the parts {', '.join(PARTS)} only these (default: all that are asked for)",
    )
    judge.add_argument(
        "--no-baselines",
        action="store_true",
        help="partner: judge the network's expectations alone (or with --against), without those that count the train "
        "split first, which takes a quarter of an hour",
    )
    judge.add_argument(
        "--workers",
        type=whole,
        default=1,
        metavar="N",
        help="partner: how many processes share the work (default 1)",
    )
    judge.add_argument(
        "--against",
        default="",
        metavar="NAME|FILE",
        help="partner: weights to compare with, piece by piece (of an older kind by default with the shipped "
        "neural ones); with --listening, whose answers stand beside the partner's (default lstm)",
    )
    judge.add_argument(
        "--listening",
        type=Path,
        nargs="?",
        const=Path("docs/listening"),
        metavar="DIR",
        help="partner: instead, make a blind listening test, a page with a form (default: docs/listening)",
    )
    judge.add_argument(
        "--choices",
        type=Path,
        nargs="+",
        metavar="JSON",
        help="listening: what listeners chose; prints how each hand did",
    )
    judge.add_argument(
        "--seeds", type=count, default=5, metavar="N", help="benchmark: how many trainings (default 5)"
    )
    judge.add_argument(
        "--factorised",
        type=count,
        default=1,
        metavar="N",
        help="benchmark: how many of the variant whose keys do not see each other (default 1)",
    )
    judge.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    bench = command(
        commands,
        "bench",
        "measure how fast the voice, the partner or the whole live path is, what the terminal UI costs, "
        "and whether a long evening ends as it began",
        "duet bench live --json",
        "duet.model_commands",
    )
    bench.add_argument("what", choices=("voice", "partner", "live", "studio", "daw", "face", "soak"))
    bench.add_argument("--weights", default="", metavar="FILE", help="voice, partner: other than the shipped")
    bench.add_argument(
        "--voice",
        metavar="VOICE",
        help="voice: this one only; live, studio, soak (default piano; soak: sine, the quickest): "
        + VOICE_HELP,
    )
    bench.add_argument(
        "--device",
        default="cpu",
        choices=("cpu", "cuda"),
        help="voice: cuda times the GPU kernel of piano-ar instead",
    )
    bench.add_argument(
        "--picture",
        type=Path,
        metavar="PNG",
        help="voice: also draw how the rate falls with the network's size",
    )
    bench.add_argument("--partner", default="neural", metavar="NAME", help="live, soak: " + PARTNER_HELP)
    bench.add_argument(
        "--seconds",
        type=positive,
        default=10.0,
        metavar="S",
        help="how much music to measure with (default 10); partner: to read its memory along, 3600 for an hour",
    )
    bench.add_argument(
        "--minutes",
        type=positive,
        default=60.0,
        metavar="M",
        help="soak: how long the evening is (default 60)",
    )
    bench.add_argument("--busy", action="store_true", help="live: with every core kept busy meanwhile")
    bench.add_argument(
        "--with-face",
        action="store_true",
        help="live: with the terminal UI drawing, to see that it costs no time",
    )
    bench.add_argument("--json", action="store_true", help="print one JSON object on standard output")
