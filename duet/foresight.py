"""What a partner expects of the player, asked for when it matters: once all keys and the pedal are let go."""

from duet.note import Event, Sounding
from duet.phrase_end import PAUSE, REST, Expectation
from duet.ports import Forecaster, Partner


class Foresight:
    """Beside a partner's `hear`: follows the player's hands and asks the partner at the right moments."""

    def __init__(self, partner: Partner | None) -> None:
        self._forecaster = partner if isinstance(partner, Forecaster) else None
        self._hands = Sounding()

    def end_call(self) -> None:
        """The call is over: its keys count as let go, for the partner hears no more of them."""
        self._hands = Sounding()

    def after(self, event: Event) -> Expectation | None:
        """What is expected after this event, which the partner has heard; None if that is of no interest."""
        was_down = self._hands.is_down
        self._hands.follow(event)
        if self._forecaster is None or self._hands.is_down or not was_down:
            return None
        struck = self._forecaster.next_onset().chance(REST - PAUSE, waited=PAUSE)
        return Expectation(event.time, min(1.0, max(0.0, 1.0 - struck)))
