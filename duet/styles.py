"""What becomes of a style that the partner does not know."""

from collections.abc import Sequence

from duet.errors import CheckpointError, nearest


def settle_style(style: str, partner: str, styles: Sequence[str], insists: bool) -> tuple[str, str]:
    """The style to begin with, and what to tell the player of it, if anything.

    One that was asked for on the command line must be there; one that the settings file holds for every
    partner is left out where it is unknown. Raises CheckpointError.
    """
    if not style or style in styles:
        return style, ""
    known = nearest(style, styles) or f"; it knows {', '.join(styles) or 'no style at all'}"
    lacks = f"the partner {partner!r} knows no style {style!r}"
    if insists:
        raise CheckpointError(lacks + known)
    return "", f"{lacks}, which your settings ask for: it plays like you"
