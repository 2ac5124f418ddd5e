"""Turn-taking policies by the names that `--turn` and the settings file give them."""

from collections.abc import Callable

from duet.errors import nearest
from duet.phrase_end import Adaptive, Bars, Explicit, Fixed, Learned, Policy

FORMS = ("adaptive", "learned", "fixed:SECONDS", "bars:N", "pedal", "pedal:CC", "key:PITCH")
"""How a policy can be written."""
OFFERED = ("adaptive", "learned", "fixed:0.8", "bars:2", "bars:4", "pedal", "key:108")
"""What a player steps through who does not write one."""
_READERS: dict[str, Callable[[str], Policy]] = {
    "adaptive": lambda value: Adaptive(),
    "learned": lambda value: Learned(),
    "fixed": lambda value: Fixed(float(value)),
    "bars": lambda value: Bars(int(value)),
    "pedal": lambda value: Explicit((int(value),)) if value else Explicit(),
    "key": lambda value: Explicit(pitch=int(value)),
}
_EXAMPLES = {"fixed": "fixed:0.8", "bars": "bars:4", "pedal": "pedal:66", "key": "key:108"}


def policy_named(text: str) -> Policy:
    """The policy that is written so. Raises ValueError, which says the nearest valid form."""
    name, colon, value = text.strip().casefold().partition(":")
    if name not in _READERS:
        hint = nearest(text, [*_EXAMPLES.values(), *_READERS]) or f"; it is one of {', '.join(FORMS)}"
        raise ValueError(f"there is no turn-taking {text!r}{hint}")
    example = _EXAMPLES.get(name)
    if example is None and colon:
        raise ValueError(f"{name} takes no value: write {name!r} alone")
    if example and not value and (colon or name != "pedal"):
        raise ValueError(f"{name} needs a number: {example!r} for one")
    try:
        return _READERS[name](value)
    except ValueError as error:
        if str(error).startswith(("could not", "invalid")):
            raise ValueError(f"{name} needs a number, not {value!r}: {example!r} for one") from None
        raise
