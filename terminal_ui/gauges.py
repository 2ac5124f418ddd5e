"""The measured line: how long answers took to begin, how fast the voice is, what went wrong."""

from textual.content import Content
from textual.widget import Widget

from duet.news import Answered, Health
from terminal_ui.delays import Delays

_WORDINGS = (
    ("wait ", "decide ", " ms", "voice ", " real time", " underruns"),
    ("wait ", "decide ", " ms", "voice ", "", " underruns"),
    ("wait ", "decide ", "", "", "", " underruns"),
    ("wait ", "decide ", "", "", "", " late"),
)
"""From wide to narrow."""


class Gauges(Widget):
    """Waits and decisions in milliseconds (last, p50, p95 of the session), real-time factor, underruns."""

    def __init__(self) -> None:
        super().__init__()
        self._waits, self._decisions = Delays(), Delays()
        self._health = Health(0, 0.0)

    def answered(self, answer: Answered) -> None:
        """Count one more answer."""
        self._waits.add(answer.wait)
        self._decisions.add(answer.decision)
        self.refresh()

    def health(self, health: Health) -> None:
        """Show how the voice and the audio do."""
        if health != self._health:
            self._health = health
            self.refresh()

    def render(self) -> Content:
        """The fullest wording there is room for."""
        lines = [self._line(*wording) for wording in _WORDINGS]
        return next((line for line in lines if line.cell_length <= self.size.width), lines[-1])

    def _line(self, wait: str, decision: str, unit: str, voice: str, speed: str, underruns: str) -> Content:
        factor, late = self._health.real_time_factor, self._health.underruns
        slow = "bold $error" if 0 < factor < 1 else "bold"
        return Content.styled(" │ ", "$idle").join(
            [
                Content.assemble((wait, "$quiet"), *_delay(self._waits, unit)),
                Content.assemble((decision, "$quiet"), *_delay(self._decisions, unit or " ms")),
                Content.assemble(
                    (voice, "$quiet"),
                    (f"{factor:.1f}×" if factor else "–", slow),
                    (speed if factor else "", "$quiet"),
                ),
                Content.assemble((str(late), "bold $error" if late else "bold"), (underruns, "$quiet")),
            ]
        )


def _delay(delays: Delays, unit: str) -> list[tuple[str, str]]:
    if not delays:
        return [("–", "bold")]
    last, half, most = (
        round(seconds * 1000) for seconds in (delays.last, delays.percentile(50), delays.percentile(95))
    )
    return [(f"{last}{unit}", "bold"), (f" p50 {half} p95 {most}", "$quiet")]
