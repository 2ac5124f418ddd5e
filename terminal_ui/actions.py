"""What the player can do with a key: one table, of which bindings, hints, help and command palette are made."""

from dataclasses import dataclass

from textual.binding import Binding

from duet.news import Again, HandOver, Keep, Metronome, Mute, Panic, Replay, Wish


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do."""

    keys: str
    """Textual's names, separated by commas."""
    cap: str
    """The key as the player reads it."""
    label: str
    """A word or two for the line of hints."""
    meaning: str
    """A plain phrase for the help and the palette."""
    wish: Wish | None = None
    """What the engine is asked for; None is the face's own matter, the method `action_` and `name` of the app."""
    name: str = ""
    always: bool = False
    """Also while letters play notes, so that it is hinted at then."""


ACTIONS = (
    Action(
        "space,enter", "space", "hand over", "hand over now, without waiting for silence",
        HandOver(), always=True,
    ),
    Action("a", "a", "again", "another answer to what you played last", Again()),
    Action("r", "r", "replay", "play the last answer once more, as it was", Replay()),
    Action("k", "k", "keep", "keep it: mark the last exchange in the take", Keep()),
    Action("escape", "esc", "panic", "panic: silence everything at once", Panic(), always=True),
    Action("tab", "tab", "keys", "play notes on this keyboard, and back again", name="play", always=True),
    Action("question_mark,f1", "?", "help", "what the keys do, how to read the screen", name="help"),
    Action("q", "q", "quit", "end the session; the take is saved", name="leave"),
    Action("m", "m", "mute", "silence Duet's voice, or let it sound again; MIDI goes on", Mute()),
    Action("c", "c", "click", "the metronome, on or off", Metronome()),
    Action("t", "t", "tap", "tap the tempo", name="tap"),
    Action("d", "d", "devices", "choose keyboard, MIDI output and sound device", name="devices"),
    Action("l", "l", "learn", "give the marked setting to a knob of your MIDI controller", name="learn"),
    Action("w", "w", "where", "where the takes are kept; record to another folder", name="where"),
    Action("o", "o", "takes", "open a kept take and hear it, both players", name="takes"),
    Action("ctrl+p", "^p", "all", "find anything by its name", name="command_palette"),
)  # fmt: skip


def bindings() -> list[Binding]:
    """The table as Textual wants it."""
    return [
        Binding(
            action.keys,
            name_of(action),
            action.label,
            show=False,
            priority=action.name == "play",  # or the focus would move on instead
        )
        for action in ACTIONS
        if action.name != "command_palette"  # which Textual binds by itself
    ]


def name_of(action: Action) -> str:
    """Its name for `App.run_action`."""
    return action.name or f"wish('{action.keys}')"


WISHES = {action.keys: action.wish for action in ACTIONS if action.wish is not None}
"""What `wish(keys)` sends."""
