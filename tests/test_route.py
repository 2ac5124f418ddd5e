"""The way of a message from the keyboard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.controls import Control, Controls
from duet.note import NoteOff, NoteOn, Pedal
from duet.phrase_end import Explicit
from duet.route import ECHO, Call, Echoes, Moved, Route, Router, Thru, Touch, Way
from duet.turn import HandOver


def press(key: int, velocity: int = 80, channel: int = 0) -> list[int]:
    return [0x90 | channel, key, velocity]


def release(key: int, channel: int = 0) -> list[int]:
    return [0x80 | channel, key, 0]


def test_what_is_played_is_the_call_and_nothing_goes_through_unless_asked() -> None:
    router = Router()
    assert router.take(press(60), 1.0) == [Call(NoteOn(1.0, 60, 80))]
    assert router.take([0xB0, 64, 127], 1.1) == [Call(Pedal(1.1, 127))]
    assert router.take([0xE0, 0, 64], 1.2) == []
    assert router.take([0x90, 60, 0], 1.3) == [Call(NoteOff(1.3, 60))], "velocity 0 is a release"


def test_thru_carries_everything_on_the_channel_it_came_on() -> None:
    router = Router(Route(thru=True))
    assert router.take(press(60, channel=3), 1.0) == [Call(NoteOn(1.0, 60, 80)), Thru((0x93, 60, 80))]
    assert router.take([0xE3, 5, 64], 1.0) == [Thru((0xE3, 5, 64))]
    assert router.take([0xC3, 7], 1.0) == [Thru((0xC3, 7))]
    assert router.take(release(60, 3), 2.0) == [Call(NoteOff(2.0, 60)), Thru((0x83, 60, 64))]


def test_only_the_channel_asked_for_is_heard() -> None:
    router = Router(Route(channel=2))
    assert router.take(press(60, channel=1), 1.0) == []
    assert router.take(press(60, channel=2), 1.0) == [Call(NoteOn(1.0, 60, 80))]


def test_keys_below_the_split_accompany_and_those_above_call() -> None:
    router = Router(Route(split=60))
    assert router.take(press(59), 1.0) == [Thru((0x90, 59, 80))]
    assert router.take(press(60), 1.0) == [Call(NoteOn(1.0, 60, 80))]
    assert router.take(release(59), 2.0) == [Thru((0x80, 59, 64))]


def test_the_split_is_where_it_is_on_the_keyboard_though_the_music_is_transposed() -> None:
    router = Router(Route(split=60, transpose=12))
    assert router.take(press(59), 1.0) == [Thru((0x90, 71, 80))]
    assert router.take(press(60), 1.0) == [Call(NoteOn(1.0, 72, 80))]


def test_keys_transposed_off_the_keyboard_are_left_out_with_their_releases() -> None:
    router = Router(Route(transpose=12))
    assert router.take(press(120), 1.0) == []
    assert router.take(release(120), 2.0) == []


def test_a_note_ends_where_it_began_though_everything_is_changed_meanwhile() -> None:
    router = Router(Route(thru=True, transpose=2))
    router.take(press(60), 1.0)
    router.route = Route(channel=5, transpose=-7, split=100)
    assert router.take(release(60), 2.0) == [Call(NoteOff(2.0, 62)), Thru((0x80, 62, 64))]


def test_a_knob_that_is_bound_is_no_music_whatever_its_channel() -> None:
    bound = Controls().bind("panic", Control.read("note 36")).bind("temperature", Control.read("cc 74"))
    router = Router(Route(channel=0, thru=True), bound)
    assert router.take(press(36, channel=9), 1.0) == [Moved((0x99, 36, 80))]
    assert router.take([0xB4, 74, 12], 1.0) == [Moved((0xB4, 74, 12))]
    assert router.take([0xB0, 75, 12], 1.0) == [Thru((0xB0, 75, 12))]


def test_while_learning_the_next_knob_is_taken_but_never_the_pedal_or_a_release() -> None:
    router = Router()
    router.take(press(60), 0.5)
    router.learning = True
    assert router.take([0xB0, 64, 127], 1.0) == [Call(Pedal(1.0, 127))]
    assert router.take(release(60), 1.0) == [Call(NoteOff(1.0, 60))]
    assert router.take([0xB0, 20, 1], 1.0) == [Moved((0xB0, 20, 1))]
    assert router.take(press(36), 1.0) == [Moved((0x90, 36, 80))]


def test_our_own_output_coming_back_is_not_the_player() -> None:
    echoes = Echoes()
    router = Router(echoes=echoes)
    echoes.sent((0x90, 60, 80), 1.0)
    assert router.take(press(60, 80), 1.0 + ECHO / 2) == []
    assert router.take(press(60, 80), 1.0 + ECHO / 2) == [Call(NoteOn(1.0 + ECHO / 2, 60, 80))], "once only"
    echoes.sent((0x90, 62, 80), 2.0)
    assert router.take(press(62, 81), 2.01) != [], "another touch is the player's"
    echoes.sent((0x90, 64, 80), 3.0)
    assert router.take(press(64, 80), 3.0 + 2 * ECHO) != [], "too late to be an echo"


@pytest.mark.parametrize(
    "message", [[], [0x90], [0x90, 60], [0xF0, 1, 2, 0xF7], [0xFE], [0x45, 3, 3], [0xB0, 64]]
)
def test_what_is_malformed_or_not_music_goes_nowhere(message: list[int]) -> None:
    assert Router(Route(thru=True)).take(message, 1.0) == []


def test_a_lost_keyboard_leaves_nothing_down() -> None:
    router = Router(Route(thru=True))
    for message in (press(60), press(64), [0xB0, 64, 90]):
        router.take(message, 1.0)
    assert set(router.let_go(2.0)) == {
        Call(NoteOff(2.0, 60)), Call(NoteOff(2.0, 64)), Call(Pedal(2.0, 0)),
        Thru((0x80, 60, 64)), Thru((0x80, 64, 64)), Thru((0xB0, 64, 0)),
    }  # fmt: skip
    assert router.let_go(3.0) == []


ROUTES = st.builds(
    Route,
    channel=st.none() | st.integers(0, 2),
    transpose=st.integers(-12, 12),
    split=st.none() | st.integers(58, 64),
    thru=st.booleans(),
)
MESSAGES = st.lists(st.integers(0, 255), max_size=4) | st.builds(
    lambda kind, channel, key, value: [kind | channel, key, value],
    st.sampled_from([0x80, 0x90, 0xB0]),
    st.integers(0, 2),
    st.sampled_from([60, 61, 62, 64]),
    st.sampled_from([0, 1, 80, 127]),
)


@given(st.lists(MESSAGES | ROUTES, max_size=80))
def test_whatever_comes_and_however_the_route_changes_every_note_that_begins_ends(
    story: list[list[int] | Route],
) -> None:
    router = Router()
    ways: list[Way] = []
    for item in story:
        if isinstance(item, Route):
            router.route = item
        else:
            ways += router.take(item, 1.0)
    ways += router.let_go(2.0)
    called: set[int] = set()
    through: set[tuple[int, int]] = set()
    for way in ways:
        match way:
            case Call(NoteOn(_, pitch, _)):
                assert pitch not in called
                called.add(pitch)
            case Call(NoteOff(_, pitch)):
                called.remove(pitch)
            case Thru((status, pitch, velocity)) if status & 0xF0 == 0x90 and velocity:
                assert (status & 15, pitch) not in through
                through.add((status & 15, pitch))
            case Thru((status, pitch, _)) if status & 0xF0 == 0x80:
                through.remove((status & 15, pitch))
    assert called == set()
    assert through == set()


@pytest.mark.parametrize("text", ["linear", "soft", "hard", "0.8", "fixed:64"])
def test_a_velocity_curve_never_falls_and_keeps_a_note_a_note(text: str) -> None:
    curve = [Touch.read(text)(velocity) for velocity in range(1, 128)]
    assert curve == sorted(curve)
    assert 1 <= curve[0] <= curve[-1] <= 127


def test_a_soft_curve_is_louder_and_a_hard_one_softer() -> None:
    assert Touch.read("soft")(40) > 40 > Touch.read("hard")(40)
    assert Touch.read("linear")(40) == 40
    assert Touch.read("fixed:64")(3) == 64


@pytest.mark.parametrize("text", ["loud", "0", "-1", "fixed:0", "fixed:200", "fixed:x"])
def test_a_curve_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Touch.read(text)


def test_the_sostenuto_pedal_gives_the_turn_away_and_is_no_music() -> None:
    router = Router(Route(thru=True))
    assert router.take((0xB0, 66, 127), 1.0) == [Call(HandOver(1.0))]
    assert router.take((0xB0, 66, 0), 1.1) == []
    assert router.take((0xB0, 67, 127), 1.2) == [Thru((0xB0, 67, 127))]


def test_a_key_can_give_the_turn_away_and_then_makes_no_note() -> None:
    router = Router()
    router.hand_over = Explicit(pitch=108)
    assert router.take((0x93, 108, 64), 1.0) == [Call(HandOver(1.0))]
    assert router.take((0x93, 108, 0), 1.1) == router.take((0x83, 108, 64), 1.1) == []
    assert router.take((0x93, 107, 64), 1.2) == [Call(NoteOn(1.2, 107, 64))]
    assert router.take((0xB3, 66, 127), 1.3) == []


def test_letting_go_is_never_taken_for_an_echo() -> None:
    echoes = Echoes()
    router = Router(echoes=echoes)
    router.take((0x90, 60, 80), 1.0)
    router.take((0xB0, 64, 127), 1.0)
    for ours in ((0x80, 60, 64), (0xB0, 64, 0)):  # our answer ends as the player barges in
        echoes.sent(ours, 1.02)
    assert router.take((0x80, 60, 64), 1.04) == [Call(NoteOff(1.04, 60))]
    assert router.take((0xB0, 64, 0), 1.04) == [Call(Pedal(1.04, 0))]


def test_a_keyboard_that_says_all_notes_off_has_no_key_down_and_other_channels_keep_theirs() -> None:
    for controller in (120, 123):
        router = Router(Route(thru=True))
        for message in (press(60), press(64), press(67, channel=1)):
            router.take(message, 1.0)
        said = (0xB0, controller, 0)
        ways = router.take(said, 2.0)
        assert [way for way in ways if isinstance(way, Call)] == [
            Call(NoteOff(2.0, 60)),
            Call(NoteOff(2.0, 64)),
        ]
        assert ways[-1] == Thru(said)
        assert router.take(said, 3.0) == [Thru(said)], "nothing is down any more"
        assert Call(NoteOff(3.5, 67)) in router.take(release(67, channel=1), 3.5)


def test_all_sound_off_and_a_reset_lift_the_pedal_and_all_notes_off_leaves_it() -> None:
    for controller, lifts in ((120, True), (121, True), (123, False)):
        router = Router()
        router.take([0xB0, 64, 127], 1.0)
        lifted = [Call(Pedal(2.0, 0))] if lifts else []
        assert router.take([0xB0, controller, 0], 2.0) == lifted
