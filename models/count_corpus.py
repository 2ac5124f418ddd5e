"""Count what the shipped partner leans to beside its network: the tables of styles, and the commonplaces.

`python -m models.count_corpus runs/partner/tokens.npz` writes both files beside the shipped weights, from the
train split of what `duet train partner` has read.
"""

import sys
from pathlib import Path

import numpy as np

from models.commonplaces import save_commonplaces
from models.eval_answers import runs_of
from models.partner_data import read_tunes
from models.partner_file import load_net
from models.partners import WEIGHTS
from models.style_tables import make_tables, save_tables


def count_corpus(tokens: Path, weights: Path) -> None:
    """Write the counts of a token file's train split beside a network's weights, for its styles."""
    tunes = [tune for tune in read_tunes(tokens) if tune.split == "train"]
    styles = load_net(weights).config.styles
    save_tables(make_tables(tunes, styles), styles, weights.with_name("styles.safetensors"))
    save_commonplaces(
        np.unique(np.concatenate([runs_of(tune) for tune in tunes])),
        weights.with_name("commonplaces.safetensors"),
    )


if __name__ == "__main__":
    count_corpus(Path(sys.argv[1]), WEIGHTS / "partner.safetensors")
