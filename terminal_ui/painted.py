"""A widget that paints each of its cells itself: no border, padding or tint, so Textual's work for these is skipped.

It keeps its lines painted, since Textual asks for all of them whenever anything near them changes: a third of
what the face costs while somebody plays was spent on painting the same lines again.
"""

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from terminal_ui.palette import Palette


class Painted(Widget):
    """Shows the lines that it was given, a true colour in every cell."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._lines: list[Strip] = []
        """From the top, each as wide as the widget."""

    def render_line(self, y: int) -> Strip:
        """One line, as it was painted."""
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def render_lines(self, crop: Region) -> list[Strip]:
        """What is painted is what is shown; without colours Textual must still take ours away."""
        if self._palette.shapes:
            return super().render_lines(crop)
        lines = [self.render_line(y) for y in crop.line_range]
        if crop.column_span == (0, self.size.width):
            return lines
        return [line.crop(*crop.column_span) for line in lines]
