"""The colours: sky blue for the player, orange for the partner, for every kind of terminal.

The pair is told apart by every kind of colour vision (Okabe and Ito 2008). Where a terminal has 16
colours only, the same roles take hues that fall exactly on them; with NO_COLOR, shapes take over.
"""

from dataclasses import dataclass

from rich.color import Color
from textual.theme import Theme

from terminal_ui.drawing import LEVELS


@dataclass(frozen=True, slots=True)
class Palette:
    """One colour for each role, as #rrggbb."""

    name: str
    paper: str
    ahead: str
    """The paper to the right of now."""
    panel: str
    guide: str
    """Lines of orientation: octaves."""
    text: str
    quiet: str
    error: str
    idle: str
    """Nobody's turn."""
    player: tuple[str, str]
    """The player's softest and loudest."""
    partner: tuple[str, str]
    planned: tuple[str, str]
    """The partner's notes still to come."""
    steps: int
    """How many brightnesses between softest and loudest can be told apart."""
    shapes: bool = False
    """True where there is no colour at all."""

    def inks(self) -> list[Color]:
        """The colour of each ink of `terminal_ui.drawing`, paper first."""
        families = (self.player, self.partner, self.planned)
        ramps = [_ramp(soft, loud, self.steps) for soft, loud in families]
        return [Color.parse(self.paper), *(Color.parse(hue) for ramp in ramps for hue in ramp)]

    def theme(self) -> Theme:
        """The same colours for the style sheet."""
        return Theme(
            name=self.name,
            primary=self.player[1],
            accent=self.partner[1],
            error=self.error,
            foreground=self.text,
            background=self.paper,
            surface=self.panel,
            panel=self.panel,
            variables={
                "player": self.player[1],
                "partner": self.partner[1],
                "quiet": self.quiet,
                "guide": self.guide,
                "idle": self.idle,
                "paper": self.paper,
                "footer-background": self.panel,
                "footer-key-foreground": self.text,
                "footer-description-foreground": self.quiet,
            },
        )


def _ramp(soft: str, loud: str, steps: int) -> list[str]:
    """LEVELS colours from soft to loud, of which `steps` differ."""
    ends = Color.parse(soft).get_truecolor(), Color.parse(loud).get_truecolor()
    ramp = []
    for level in range(LEVELS):
        share = level * steps // LEVELS / max(1, steps - 1)
        mixed = (round(low + (high - low) * share) for low, high in zip(*ends, strict=True))
        ramp.append("#" + "".join(f"{part:02x}" for part in mixed))
    return ramp


MANY_COLOURS = Palette(
    name="duet",
    paper="#0d1014",
    ahead="#141a22",
    panel="#171c24",
    guide="#262e39",
    text="#dce1e8",
    quiet="#8893a2",
    error="#ff5f6d",
    idle="#2a323d",
    player=("#1f5f86", "#7ad3ff"),
    partner=("#8a4f10", "#ffc04d"),
    planned=("#5a3a17", "#9a6a2b"),
    steps=LEVELS,
)
SIXTEEN_COLOURS = Palette(
    name="duet-16",
    paper="#000000",
    ahead="#000000",
    panel="#000000",
    guide="#555555",
    text="#ffffff",
    quiet="#aaaaaa",
    error="#ff5555",
    idle="#555555",
    player=("#00aaaa", "#55ffff"),
    partner=("#aa5500", "#ffff55"),
    planned=("#aa5500", "#aa5500"),
    steps=2,
)
NO_COLOURS = Palette(
    name="duet-plain",
    paper="#000000",
    ahead="#000000",
    panel="#000000",
    guide="#ffffff",
    text="#ffffff",
    quiet="#ffffff",
    error="#ffffff",
    idle="#000000",
    player=("#ffffff", "#ffffff"),
    partner=("#ffffff", "#ffffff"),
    planned=("#ffffff", "#ffffff"),
    steps=1,
    shapes=True,
)


def palette_for(color_system: str | None, no_color: bool) -> Palette:
    """The palette for a terminal, by Rich's name of what it can do."""
    if no_color or color_system is None:
        return NO_COLOURS
    return SIXTEEN_COLOURS if color_system in {"standard", "windows"} else MANY_COLOURS
