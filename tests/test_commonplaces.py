import numpy as np

from duet.note import NoteOn
from duet.request import Character, Request
from models.commonplaces import load_commonplaces, save_commonplaces
from models.compose import Manners
from models.eval_answers import runs_of
from models.events import LOWEST, tokens_of
from models.neural import NeuralPartner
from models.partner_data import Tune
from models.partner_file import save_partner
from tests.playing import melody
from tests.test_partner import PHRASE, wild_net

SHARED = [60, 62, 64, 65, 67, 69, 71, 72]


def tune(pitches):
    return Tune(str(pitches), "train", "", "", True, True, tokens_of(melody(pitches)))


def test_what_a_piece_has_is_known_and_nothing_else(tmp_path):
    own = [40, 41, 43, 44, 46, 47, 49, 50]
    runs = runs_of(tune([55, *SHARED]))
    assert len(runs) == 2
    path = tmp_path / "commonplaces.safetensors"
    save_commonplaces(runs, path)
    known = load_commonplaces(path)
    after = known.after([pitch - LOWEST for pitch in SHARED[:-1]])
    assert np.flatnonzero(after).tolist() == [SHARED[-1] - LOWEST]
    assert not known.after([pitch - LOWEST for pitch in own[:-1]]).any()
    assert not known.after([1, 2, 3]).any()
    assert load_commonplaces(tmp_path / "none.safetensors") is None


def test_a_known_run_is_left_unless_the_call_is_to_be_echoed(tmp_path):
    weights = tmp_path / "partner.safetensors"
    save_partner(wild_net(), weights)

    def said(**character):
        partner = NeuralPartner(weights, Manners(originality=50.0))
        for event in PHRASE:
            partner.hear(event)
        events = partner.respond(Request(1, 4.0, Character(**character), 3))
        return [event.pitch - LOWEST for event in events if isinstance(event, NoteOn)]

    free, echo = said(), said(closeness=1.0)
    runs = [
        np.uint64(sum(key << 7 * (7 - place) for place, key in enumerate(keys[:8]))) for keys in (free, echo)
    ]
    save_commonplaces(np.array(runs), tmp_path / "commonplaces.safetensors")
    assert said()[:7] == free[:7]
    assert said()[7] != free[7]
    assert said(closeness=1.0) == echo
