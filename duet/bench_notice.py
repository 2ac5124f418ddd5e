"""What a benchmark is about to do: said once, before it starts, so that nothing need be drawn while it measures."""


def notice(what: str, seconds: float, on_gpu: bool = False) -> str:
    """The line; `seconds` is how much music is asked for."""
    turns = max(2, round(seconds / 5))
    told, takes = {
        "voice": ("how many seconds of sound the voice makes in one", 35 + 1.5 * seconds),
        "partner": ("how long an answer of the partner's takes to begin and to go on", 30 + seconds / 20),
        "face": ("what the terminal UI takes of a core, at three sizes", 3 * (seconds + 3)),
        "studio": ("keys through, clock and replugging on a JACK server of its own", 60 + 3 * seconds),
        "daw": ("an answer recorded by Ardour", 40),
        "live": (f"{turns} turns of a whole session on a JACK server of its own", 15 + 7 * turns),
    }[what]
    if on_gpu:
        told, takes = "the GPU kernel of the large piano", 120
    about = f"{round(takes, -1):.0f} s" if takes < 100 else f"{takes / 60:.0f} minutes"
    return f"measuring {told}: about {about}; leave the machine alone meanwhile"
