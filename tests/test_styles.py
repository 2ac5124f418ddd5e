from dataclasses import replace

import numpy as np
import pytest
import torch

from duet.note import NoteOff, NoteOn, Pedal, notes_of, order
from duet.request import Character, Request
from models.compose import Manners
from models.eval_styles import evaluate_styles, judge_styles, recall
from models.events import tokens_of
from models.neural import NeuralPartner
from models.partner_data import Tune
from models.partner_file import save_partner
from models.style_drafts import best_draft, load_listener, save_listener
from models.style_judge import StyleJudge, folded, passages_of
from models.style_tables import load_tables, make_tables, save_tables
from models.style_traits import traits
from tests.playing import melody
from tests.test_partner import PHRASE, wild_net

torch.set_num_threads(1)
STYLES = ("jazz", "pop")


def chorale(seed, seconds=30.0):
    """Slow chords of four with the pedal, as nobody improvises."""
    rng = np.random.default_rng(seed)
    events = []
    for beat in np.arange(0, seconds, 1.0):
        for pitch in rng.integers(40, 52) + np.array([0, 7, 16, 24]):
            events += [NoteOn(float(beat), int(pitch), 60), NoteOff(float(beat) + 0.9, int(pitch))]
        events += [Pedal(float(beat) + 0.05, 127), Pedal(float(beat) + 0.95, 0)]
    return sorted(events, key=order)


def line(seed, seconds=30.0):
    """One quick voice."""
    rng = np.random.default_rng(seed)
    return melody(60 + rng.integers(-2, 3, int(seconds / 0.15)).cumsum().clip(-20, 20), 0.15)


def tunes(number):
    made = [("pop", chorale), ("jazz", line)]
    return [
        Tune(f"{style}{seed}", "train", "", style, True, True, tokens_of(play(seed)))
        for style, play in made
        for seed in range(number)
    ]


@pytest.fixture(scope="module")
def known():
    return passages_of(tunes(8), STYLES, {})


def test_a_passage_in_another_key_differs_in_its_register_alone():
    here, there = (
        traits(melody([pitch + move for pitch in (60, 62, 64, 65, 67, 71, 72)])) for move in (0, 5)
    )
    assert 1 <= (np.abs(here - there) > 1e-6).sum() <= 8
    assert traits(melody([60, 62])) is None


def test_the_judge_tells_chords_from_a_line_it_has_not_heard(known):
    judge = StyleJudge(known, STYLES)
    assert judge.chances(traits(chorale(99)[:80])[None])[0].argmax() == STYLES.index("pop")
    assert judge.chances(traits(line(99)[:80])[None])[0].argmax() == STYLES.index("jazz")


def test_no_fold_learns_from_what_it_judges(known):
    # labels that say nothing: whoever learnt by heart what it judges would still find them
    said = np.random.default_rng(0).integers(0, 2, 16)
    _, piece = np.unique(known.piece, return_inverse=True)
    mixed = type(known)(known.traits, said[piece], known.piece)
    found = recall(folded(mixed, STYLES), mixed, STYLES)["mean_recall"]
    heart = recall(StyleJudge(mixed, STYLES).chances(mixed.traits), mixed, STYLES)["mean_recall"]
    assert heart > found + 0.2


def test_versions_of_a_piece_share_a_fold():
    parts = passages_of(tunes(3), STYLES, {"pop0": "same", "pop1": "same"})
    assert len(set(parts.piece.tolist())) == 5


class Obedient:
    """Plays chords or a line, as it is told; a line, if it is told nothing."""

    styles = STYLES

    def forget(self):
        pass

    hear = cut = lambda self, whatever: None

    def respond(self, request):
        play = chorale if request.character.style == "pop" else line
        return iter(play(request.seed, request.seconds))


def test_who_does_as_told_agrees_with_the_judge_and_who_is_not_told_does_not(known):
    judge = StyleJudge(known, STYLES)
    found = judge_styles(Obedient(), judge, [("", PHRASE), ("jazz", PHRASE)])
    assert found["agreement"] == {"jazz": 1.0, "pop": 1.0}
    assert found["unasked"] == {"jazz": 1.0, "pop": 0.0}
    assert found["confusion"]["pop"] == {"jazz": 0.0, "pop": 1.0}


def test_what_can_be_counted_of_a_style_is_leant_to():
    tables = make_tables(tunes(4), STYLES)
    known = {name: dict(zip(STYLES, table, strict=True)) for name, table in tables.items()}
    assert known["down"]["pop"][3] > 0.3 > known["down"]["jazz"][3]  # three keys down at a stroke: chords
    assert known["kind"]["jazz"][2] < -1  # the pedal goes down
    assert known["wait"]["jazz"][6] > known["wait"]["pop"][6]  # 0.15 s


def test_tables_come_back_and_are_not_for_other_styles(tmp_path):
    path = tmp_path / "styles.safetensors"
    tables = make_tables(tunes(2), STYLES)
    save_tables(tables, STYLES, path)
    assert torch.equal(load_tables(path, STYLES)["pop"].leap, torch.from_numpy(tables["leap"][1]))
    assert load_tables(path, ("jazz", "rock")) == {}
    assert load_tables(tmp_path / "none.safetensors", STYLES) == {}


def test_answers_lean_to_what_was_counted(tmp_path):
    save_partner(wild_net(), tmp_path / "partner.safetensors")
    save_tables(make_tables(tunes(4), STYLES), STYLES, tmp_path / "styles.safetensors")
    leaning = NeuralPartner(tmp_path / "partner.safetensors", Manners(manner=3.0))

    def keys_down(style):
        leaning.forget()
        for event in PHRASE:
            leaning.hear(event)
        notes = notes_of(leaning.respond(Request(1, 6.0, Character(style=style))))
        return sum(note.duration for note in notes) / max(note.offset for note in notes)

    assert keys_down("pop") > 1.5 * keys_down("jazz")


@pytest.fixture
def listening(known, tmp_path):
    """A partner that has learnt nothing but to listen."""
    save_partner(wild_net(), tmp_path / "partner.safetensors")
    save_listener(StyleJudge(known, STYLES).as_listener(), tmp_path / "listener.safetensors")
    return tmp_path / "partner.safetensors"


def styled(partner, style, seed=0, seconds=6.0):
    partner.forget()
    for event in PHRASE:
        partner.hear(event)
    return list(partner.respond(Request(1, seconds, Character(style=style), seed)))


def test_a_listener_hears_what_its_judge_hears_and_comes_back(known, tmp_path):
    judge, path = StyleJudge(known, STYLES), tmp_path / "listener.safetensors"
    save_listener(judge.as_listener(), path)
    row = chorale(99)[:80]
    said = load_listener(path, STYLES).merit(row, "pop")
    assert np.exp(said) == pytest.approx(judge.chances(traits(row)[None])[0, STYLES.index("pop")], rel=1e-3)
    assert load_listener(path, ("jazz", "rock")) is load_listener(tmp_path / "none", STYLES) is None


class LikesItHigh:
    """A listener to whom every style is high."""

    def merit(self, events, style):
        return height(events)


def height(events):
    return np.mean([event.pitch for event in events if isinstance(event, NoteOn)])


def test_of_some_drafts_the_one_most_in_the_style_is_played(listening):
    def played(drafts):
        partner = NeuralPartner(listening, Manners(drafts=drafts))
        partner._listener = LikesItHigh()
        return np.mean([height(styled(partner, "jazz", seed)) for seed in range(3)])

    assert played(4) > played(1) + 1


def test_what_was_drafted_and_not_played_leaves_no_trace(listening, monkeypatch):
    partner = NeuralPartner(listening)
    said = styled(partner, "jazz")
    state = partner._state

    def draft_and_forget(*arguments):
        return replace(made := best_draft(*arguments), states=[None] * len(made.steps))

    monkeypatch.setattr("models.neural.best_draft", draft_and_forget)
    again = NeuralPartner(listening)
    assert styled(again, "jazz") == said
    assert state.length == again._state.length
    for one in (partner, again):
        one.hear(NoteOn(10.0, 60, 70))
    torch.testing.assert_close(partner._state.h, again._state.h)


def test_an_answer_without_a_style_is_not_drafted(listening, monkeypatch):
    monkeypatch.setattr("models.neural.best_draft", lambda *arguments: pytest.fail("drafted"))
    assert styled(NeuralPartner(listening), "")


def test_the_whole_judgement_has_its_ceiling_and_its_floor():
    learnt = tunes(10)
    heard = [replace(tune, split="test") for tune in tunes(12)[20:]]
    found = evaluate_styles(Obedient(), heard, learnt, {}, 2, 0)
    assert found["ceiling"]["mean_recall"] > 0.9
    assert found["ceiling_on_valid_and_test"]["passages"] > 0
    assert found["mean_agreement"] == 1.0 > found["mean_unasked"]
