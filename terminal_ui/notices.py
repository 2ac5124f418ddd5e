"""What the session says in plain words; the latest last."""

from collections import deque

from textual.content import Content
from textual.widget import Widget

from duet.news import Message

_KEPT = 8
_FADES_AFTER = 12.0
"""Seconds; errors stay until something else is said."""


class Notices(Widget):
    """The last lines, as many as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._said: deque[tuple[float, Message]] = deque(maxlen=_KEPT)
        self._standing = ""

    def say(self, message: Message, now: float) -> None:
        """Show one more."""
        self._said.append((now, message))
        self.refresh()

    def stand(self, text: str) -> None:
        """Show this whenever nothing else is said; when it is new, before what was said earlier."""
        if text == self._standing:
            return
        self._standing = text
        if text:
            self._said = deque((said for said in self._said if said[1].error), maxlen=_KEPT)
        self.refresh()

    def show(self, now: float) -> None:
        """Take away what has been there long enough."""
        while self._said and now - self._said[0][0] > _FADES_AFTER and self._may_go(self._said[0][1]):
            self._said.popleft()
            self.refresh()

    def render(self) -> Content:
        """What stands, if there is room, and the latest lines; an error is marked and coloured."""
        shown = list(self._said)[-max(1, self.size.height) :]
        lines = [Content.styled(self._standing, "$text")] if len(shown) < self.size.height else []
        lines += [
            Content.assemble((" ! ", "bold $paper on $error"), (f" {message.text}", "bold $error"))
            if message.error
            else Content.styled(message.text, "$text")
            for _, message in shown
        ]
        return Content("\n").join(lines)

    def _may_go(self, message: Message) -> bool:
        return not message.error or len(self._said) > 1
