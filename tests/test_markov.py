from hypothesis import given
from hypothesis import strategies as st

from duet.note import NoteOff, NoteOn, Pedal, events_of, notes_of, order
from duet.request import Character, Request
from models.markov import MarkovPartner
from tests.playing import assert_good_manners, calls, melody


def answer(call, partner=None, **settings):
    partner = partner or MarkovPartner()
    for event in call:
        partner.hear(event)
    seconds, seed = settings.pop("seconds", 2.0), settings.pop("seed", 0)
    return list(partner.respond(Request(1, seconds, Character(**settings), seed)))


@given(st.lists(calls, min_size=1, max_size=3), st.integers(0, 9), st.floats(0.2, 3))
def test_every_answer_lets_everything_go(some_calls, seed, temperature):
    partner = MarkovPartner()
    for call in some_calls:
        assert_good_manners(answer(call, partner, seed=seed, temperature=temperature))


def test_it_says_nothing_before_it_has_heard_anything():
    assert answer([]) == []


def test_after_an_empty_call_it_goes_on_from_the_last_one():
    partner = MarkovPartner()
    answer(melody([60, 62, 64]), partner)
    assert notes_of(answer([], partner))


def test_one_note_is_answered():
    notes = notes_of(answer(melody([60])))
    assert notes
    assert {note.pitch for note in notes} == {60}


def test_the_same_seed_gives_the_same_answer():
    call = melody([60, 62, 60, 64, 60, 67, 65, 64])
    assert answer(call, seed=3) == answer(call, seed=3)
    assert len({tuple(answer(call, seed=seed)) for seed in range(8)}) > 1


def test_it_goes_on_as_the_player_once_did():
    partner = MarkovPartner()
    answer(melody([60, 64, 67, 72, 71, 69]), partner)
    pitches = [note.pitch for note in notes_of(answer(melody([60, 64, 67, 72]), partner, seconds=0.6))]
    assert pitches == [71, 69]


def test_the_longest_context_wins_when_cool_and_not_when_hot():
    def share(temperature):
        counts = 0
        for seed in range(60):
            partner = MarkovPartner()
            answer(melody([50, 52, 60, 62, 64, 40]), partner)
            answer(melody([51, 53, 61, 63, 64, 80]), partner)
            said = answer(
                melody([50, 52, 60, 62, 64]), partner, seconds=0.3, temperature=temperature, seed=seed
            )
            counts += notes_of(said)[0].pitch == 40
        return counts / 60

    assert share(0.3) == 1
    assert share(20) < 0.8


def test_touch_and_chords_come_back_whole():
    chord = [NoteOn(0, 48, 30), NoteOn(0.01, 60, 90), NoteOff(0.4, 48), NoteOff(0.5, 60)]
    notes = notes_of(answer(chord, seconds=0.5))
    assert [(note.pitch, note.velocity) for note in notes[:2]] == [(48, 30), (60, 90)]
    assert abs(notes[1].onset - 0.01) < 1e-9


def test_the_pedal_comes_back():
    call = sorted([Pedal(0, 127), *melody([60, 62, 64]), Pedal(1.2, 0)], key=order)
    assert any(isinstance(event, Pedal) and event.down for event in answer(call))


def test_the_answer_is_about_as_long_as_asked_for():
    call = melody([60, 62, 64, 65, 67, 65, 64, 62], 0.25)
    for seconds in (1.0, 4.0, 12.0):
        end = answer(call, seconds=seconds)[-1].time
        assert 0.7 * seconds < end < 1.3 * seconds + 0.5


def test_forgetting_is_beginning_anew():
    partner = MarkovPartner()
    answer(melody([30, 31, 32, 33]), partner)
    partner.forget()
    call = melody([60, 62, 64])
    assert answer(call, partner) == answer(call)


def test_a_thousand_calls_do_not_fill_the_memory():
    partner = MarkovPartner()
    notes = notes_of(melody(list(range(40, 80)), 0.1))
    for _ in range(1000):
        for event in events_of(notes):
            partner.hear(event)
        partner._learn()
    assert len(partner._memory) <= 21_000
    assert notes_of(answer([], partner))


def pitches_of(events):
    return [event.pitch for event in events if isinstance(event, NoteOn)]


def test_it_locks_moves_scales_and_stretches_what_it_says():
    call = melody([60, 61, 63, 66, 68, 70] * 3, velocity=60)
    locked = pitches_of(answer(call, key="C major", seconds=5.0))
    assert locked
    assert {pitch % 12 for pitch in locked} <= {0, 2, 4, 5, 7, 9, 11}
    high = pitches_of(answer(call, register=88, seconds=5.0))
    assert all(abs(pitch - 88) < 14 for pitch in high)
    loud = answer(call, loudness=100, seconds=5.0)
    assert {event.velocity for event in loud if isinstance(event, NoteOn)} == {100}
    quick, slow = (len(pitches_of(answer(call, density=density, seconds=8.0))) for density in (6.0, 1.5))
    assert quick > 2.5 * slow


@given(calls, st.floats(0, 127), st.floats(1, 127), st.floats(0.1, 30), st.sampled_from(["call", "F# blues"]))
def test_every_answer_lets_everything_go_whatever_was_asked(call, register, loudness, density, key):
    asked = {"register": register, "loudness": loudness, "density": density, "key": key}
    assert_good_manners(answer(call, **asked))
