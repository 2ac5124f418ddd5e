"""The kept takes, the latest first: choose one and hear it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from duet.news import Replay, TakeLine, Takes

_STYLES = 18
"""Columns for the styles that were asked for."""


class Evenings(ModalScreen[Replay]):
    """Ends with the wish to hear one, or with nothing."""

    AUTO_FOCUS = "OptionList"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,o,q", "dismiss", "Close"),
        Binding("space", "pick", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._list = OptionList(Option(Content("looking …"), disabled=True))

    def compose(self) -> ComposeResult:
        """One line each."""
        with Vertical(classes="box") as box:
            box.border_title = "Takes"
            box.border_subtitle = "↑↓ enter plays it · any key of your piano ends it · esc closes"
            yield self._list

    def tell(self, takes: Takes) -> None:
        """What there is has been told."""
        self._list.clear_options()
        self.query_one(".box").border_title = Content(f"Takes in {takes.folder}")  # no markup
        if not takes.takes:
            self._list.add_option(
                Option(Content("None yet: an evening is listed when it has ended."), disabled=True)
            )
            return
        for take in takes.takes:
            self._list.add_option(Option(line_of(take), id=take.path))
        self._list.highlighted = 0

    def action_pick(self) -> None:
        """As enter does."""
        self._list.action_select()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(Replay(event.option.id or ""))


def line_of(take: TakeLine) -> Content:
    """When, how many turns, how long, in which styles, and what is marked in it."""
    minutes, seconds = divmod(round(take.seconds), 60)
    turns = f"{take.turns} turn{'' if take.turns == 1 else 's'}" if take.turns else "no turns"
    styles = ", ".join(take.styles)
    if len(styles) > _STYLES:
        styles = styles[: _STYLES - 1] + "…"
    marks = f"kept {', '.join(str(turn) for turn in take.kept)}" if take.kept else ""
    return Content.assemble(
        (f" {take.date[:16]}", "bold"),
        f"  {turns:>9}  {minutes:>4}:{seconds:02}  {styles:<{_STYLES}}  ",
        (marks, "bold"),
    ).truncate(74, ellipsis=True)
