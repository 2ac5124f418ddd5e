"""One voice for two hands."""

import time

from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.voice_out import VoiceOut


class Kept:
    def __init__(self) -> None:
        self.sent: list[Event | str] = []

    def send(self, event: Event) -> None:
        self.sent.append(event)

    def silence(self) -> None:
        self.sent.append("silence")


def kinds(voice: Kept) -> list[tuple[str, int] | str]:
    return [
        item
        if isinstance(item, str)
        else (type(item).__name__, item.value if isinstance(item, Pedal) else item.pitch)
        for item in voice.sent
    ]


def test_the_players_keys_sound_only_where_they_are_to_be_heard() -> None:
    silent, heard = Kept(), Kept()
    VoiceOut(silent).play(NoteOn(1.0, 60, 80))
    VoiceOut(heard, monitor=True).play(NoteOn(1.0, 60, 80))
    assert silent.sent == []
    assert kinds(heard) == [("NoteOn", 60)]


def test_a_key_and_a_pedal_that_the_player_holds_are_not_lifted_by_the_partner() -> None:
    kept = Kept()
    voice = VoiceOut(kept, monitor=True)
    voice.play(NoteOn(1.0, 60, 80))
    voice.play(Pedal(1.0, 127))
    voice.send(NoteOff(1.1, 60))
    voice.send(Pedal(1.1, 0))
    voice.send(NoteOff(1.1, 64))
    assert kinds(kept) == [("NoteOn", 60), ("Pedal", 127), ("NoteOff", 64)]


def test_a_barge_in_cuts_the_sound_and_leaves_the_players_foot_on_the_pedal() -> None:
    kept = Kept()
    voice = VoiceOut(kept, monitor=True)
    voice.play(Pedal(1.0, 127))
    voice.silence()
    voice.play(NoteOn(1.1, 60, 80))
    assert kinds(kept) == [("Pedal", 127), "silence", ("Pedal", 127), ("NoteOn", 60)]


def test_mute_is_silence_until_it_is_lifted() -> None:
    kept = Kept()
    voice = VoiceOut(kept, monitor=True)
    voice.mute(True)
    voice.send(NoteOn(1.0, 60, 80))
    voice.play(NoteOn(1.0, 62, 80))
    voice.mute(False)
    voice.send(NoteOn(2.0, 64, 80))
    assert kinds(kept) == ["silence", ("NoteOn", 64)]


def test_an_answer_that_waits_is_sent_early_by_its_delay_and_one_that_cannot_by_what_there_is() -> None:
    kept, told = Kept(), list[float]()
    voice = VoiceOut(kept, delay=lambda: 0.06, tell_early=told.append)
    for spare in (0.2, 0.02, -0.01):
        voice.advance(spare)
        voice.send(NoteOn(5.0, 60, 80))
    assert told == [0.06, 0.02, 0.0]
    assert [event.time for event in kept.sent if isinstance(event, NoteOn)] == [4.94, 4.98, 5.0]


def test_the_players_own_keys_are_never_early() -> None:
    kept = Kept()
    voice = VoiceOut(kept, monitor=True, delay=lambda: 0.06)
    voice.advance(1.0)
    before = time.monotonic()
    voice.play(NoteOn(1.0, 60, 80))
    (event,) = kept.sent
    assert isinstance(event, NoteOn)
    assert event.time >= before
