"""Make what the shipped partner has beside its network: tables of styles, a listener for them, the commonplaces.

`python -m models.count_corpus runs/partner/tokens.npz CORPUS` writes the three files beside the shipped weights, from
the train split of what `duet train partner` has read; the corpus's manifest says which files are versions of a piece.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from models.commonplaces import save_commonplaces
from models.eval_answers import runs_of
from models.partner_data import read_tunes
from models.partner_file import load_net
from models.partners import WEIGHTS
from models.style_drafts import save_listener
from models.style_judge import StyleJudge, half, passages_of
from models.style_tables import make_tables, save_tables


def count_corpus(tokens: Path, manifest: Path, weights: Path) -> None:
    """Write what a token file's train split teaches beside a network's weights, for its styles."""
    tunes = [tune for tune in read_tunes(tokens) if tune.split == "train"]
    styles = load_net(weights).config.styles
    save_tables(make_tables(tunes, styles), styles, weights.with_name("styles.safetensors"))
    with manifest.open(newline="") as lines:
        piece_of = {
            row["file"]: row["piece_cluster"] for row in csv.DictReader(lines) if row["piece_cluster"]
        }
    judge = StyleJudge(half(passages_of(tunes, styles, piece_of), 1), styles, 1)
    save_listener(judge.as_listener(), weights.with_name("listener.safetensors"))
    save_commonplaces(
        np.unique(np.concatenate([runs_of(tune) for tune in tunes])),
        weights.with_name("commonplaces.safetensors"),
    )


if __name__ == "__main__":
    count_corpus(Path(sys.argv[1]), Path(sys.argv[2]) / "manifest.csv", WEIGHTS / "partner.safetensors")
