"""The way through a training that all forms of the voice share, on a tiny ensemble."""

import json

import pytest
import torch

from duet.note import NoteOn
from duet.piece import Piece
from models.voice_run import VoiceRun
from models.voice_trainer import TrainConfig
from tests.company import run_by_two
from tests.test_ensemble import trio_lesson
from tests.voice_fakes import SMALL

EVENTS = (NoteOn(0.0, 60, 80),)
PIECES = [Piece(f"{split}.mid", EVENTS, split) for split in ("train", "test", "valid", "valid")]


def learn(folder, seconds, resume=False):
    """Teach the trio; what was handed to the keeper, and every report it was given."""
    told, reports = [], []

    def begin(company, watched):
        with company.leader_first():
            (folder / "measured").open("x" if company.leads and not resume else "r").close()
        next(watched)
        return trio_lesson(), f"measured by {company.rank}"

    def keeper(trainer, measured, held_out):
        told.append((measured, [piece.name for piece in held_out], trainer.iteration))

        def keep(report):
            reports.append(report)
            return {"logmel_rmse_db": 1.0}

        return keep

    run = VoiceRun(folder / "run", TrainConfig(half=False), SMALL, seconds / 60, resume, "cpu", 0)
    return run.learn(PIECES, begin, keeper), told, reports


def test_a_run_hands_on_what_is_held_out_and_goes_on_from_where_it_was(tmp_path):
    last, told, reports = learn(tmp_path, 0.01)
    assert told == [("measured by 0", ["valid.mid", "valid.mid"], 0)]
    assert last["iteration"] == reports[-1]["iteration"] > 0
    assert last["logmel_rmse_db"] == 1.0
    later, told, _ = learn(tmp_path, 60 * last["minutes"] + 0.01, resume=True)
    assert told[0][2] == last["iteration"] < later["iteration"]
    assert (tmp_path / "run" / "curve.csv").read_text().count("\n") == 3


@pytest.mark.slow
def test_two_processes_teach_one_ensemble_and_the_first_judges_and_writes(tmp_path):
    run_by_two(
        tmp_path,
        "import json, sys\n"
        "from pathlib import Path\n"
        "from tests.company import no_thread_is_left\n"
        "from tests.test_voice_run import learn\n"
        "folder = Path(sys.argv[1])\n"
        "_, told, reports = learn(folder, 0.5)\n"
        "for who in told: (folder / 'told.json').open('x').write(json.dumps(told))\n"
        "no_thread_is_left()\n",
    )
    assert json.loads((tmp_path / "told.json").read_text()) == [
        ["measured by 0", ["valid.mid", "valid.mid"], 0]
    ]
    one, other = (
        torch.load(tmp_path / "run" / name, weights_only=True) for name in ("state.pt", "state.1.pt")
    )
    assert all(torch.equal(one["net"][name], other["net"][name]) for name in one["net"])
    assert one["counts"] == other["counts"]
    assert one["numpy"] != other["numpy"]
    assert len((tmp_path / "run" / "curve.csv").read_text().splitlines()) == 2
