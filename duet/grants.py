"""Grants the player's wishes: what is asked for in the face is done here, and what is chosen is told to all."""

import time
from collections.abc import Callable
from dataclasses import replace

from duet.models_handle import Models
from duet.news import Choose, HandOver, Keep, Kept, Message, News, Panic, Quit, Setup, Wish
from duet.session import Session
from duet.turn import HandOver as HandTheTurn


class Grants:
    """Wishes in, deeds on session and models out. `observe` is told of each change of the setup."""

    def __init__(
        self, session: Session, models: Models, setup: Setup, observe: Callable[[News], None]
    ) -> None:
        self.setup = setup
        self._session = session
        self._models = models
        self._observe = observe

    def grant(self, wish: Wish) -> None:
        """Do what is asked for, or say why not."""
        match wish:
            case HandOver():
                self._session.feed(HandTheTurn(time.monotonic()))
            case Panic():
                self._session.panic()
            case Choose(setting, value):
                self._choose(setting, value)
            case Keep():
                self._observe(Kept())
                self._observe(Message("kept: `duet takes` shows the mark"))
            case Quit():
                pass  # the engine's own business
            case _:
                self._refuse(f"{wish} is nothing that can be done yet")

    def change_setup(self, **changes: object) -> None:
        """Something is plugged in or chosen: tell everybody."""
        self.setup = replace(self.setup, **changes)  # type: ignore[arg-type]
        self._observe(self.setup)

    def partner_changed(self, name: str, styles: tuple[str, ...]) -> None:
        """Another partner has sat down; a style it does not know goes."""
        style = self._session.settings.character.style
        self._session.change(style=style if style in styles else "")
        self.change_setup(partner=name, styles=("", *styles), settings=self._session.settings)

    def _choose(self, setting: str, value: str | float | None) -> None:
        match setting, value:
            case "partner" | "voice", str(name):
                self._models.load(name, setting == "voice")
            case "style", name if name and name not in self.setup.styles:
                self._refuse(f"the partner knows no style {name!r}")
            case _:
                try:
                    self._session.change(**{setting: value})
                    self.change_setup(settings=self._session.settings)
                except (TypeError, ValueError) as error:
                    self._refuse(f"{setting} stays as it is: {error}")

    def _refuse(self, text: str) -> None:
        self._observe(Message(text, True))
