"""What to do about each trouble that `duet doctor` can find, on each system. Only text: nothing here looks at anything.

Linux is tried by the tests for real; macOS and Windows are written from their makers' manuals and not run by us.
"""

from enum import Enum


class Trouble(Enum):
    """What can be wrong with a machine."""

    NO_MIDI = "no MIDI system"
    NO_KEYBOARD = "no keyboard"
    NO_VIRTUAL_PORTS = "no virtual ports"
    SLOW_MIDI = "slow MIDI"
    NO_PORTAUDIO = "no PortAudio"
    NO_DEVICE = "no audio device"
    DEVICE_REFUSES = "audio device refuses"
    CRACKLES = "underruns"
    PIPEWIRE = "PipeWire out of reach"
    NO_REALTIME = "no real-time scheduling"
    NO_WEIGHTS = "no weights"
    SLOW_VOICE = "slow voice"
    SLOW_PARTNER = "slow partner"
    NO_TAKES = "takes cannot be kept"
    BAD_SETTINGS = "settings wrong"
    NO_TERMINAL = "no terminal"


LINUX, MACOS, WINDOWS = "linux", "darwin", "win32"
"""As `sys.platform` has them."""
EVERYWHERE = ""
TRIED = {LINUX}
"""Where the advice has been followed by us."""

ADVICE: dict[Trouble, dict[str, str]] = {
    Trouble.NO_MIDI: {
        LINUX: "load the ALSA sequencer (`sudo modprobe snd-seq`), or start JACK (`jackd -d alsa`); in a container "
        "give it /dev/snd",
        MACOS: "CoreMIDI is part of macOS: log out and in again, or restart the MIDI server in Audio MIDI Setup",
        WINDOWS: "install the keyboard's driver, or loopMIDI for a port to a DAW",
        EVERYWHERE: "install the system's MIDI support; `duet demo` needs none",
    },
    Trouble.NO_KEYBOARD: {
        LINUX: "plug one in and switch it on; `aconnect -l` shows what ALSA sees. A DAW: connect its track to Duet-in",
        MACOS: "plug one in and look for it in Audio MIDI Setup (MIDI Studio). A DAW: send to Duet-in, or switch the "
        "IAC driver on there",
        WINDOWS: "plug one in; other programs must let go of it first (WinMM lends a port to one program). A DAW: "
        "make a port with loopMIDI and name it with --port",
        EVERYWHERE: "plug one in; `duet demo` needs none",
    },
    Trouble.NO_VIRTUAL_PORTS: {
        WINDOWS: "WinMM cannot make ports: install loopMIDI, make two ports, name them with --port and --out",
        MACOS: "switch the IAC driver on in Audio MIDI Setup (MIDI Studio) and name its bus with --port and --out",
        EVERYWHERE: "name real ports with --port and --out",
    },
    Trouble.SLOW_MIDI: {
        LINUX: "run JACK with a smaller period and -R; allow real-time scheduling (see there); close heavy programs",
        EVERYWHERE: "close heavy programs; use a wire rather than Bluetooth",
    },
    Trouble.NO_PORTAUDIO: {
        LINUX: "`sudo apt install libportaudio2` (Debian, Ubuntu), `sudo dnf install portaudio` (Fedora)",
        MACOS: "`python -m pip install --force-reinstall sounddevice`: its macOS package brings PortAudio",
        WINDOWS: "`python -m pip install --force-reinstall sounddevice`: its Windows package brings PortAudio",
        EVERYWHERE: "install PortAudio",
    },
    Trouble.NO_DEVICE: {
        LINUX: "plug one in, or start JACK, PipeWire or PulseAudio; in a container there may be none at all. "
        "`--audio none` plays MIDI only",
        EVERYWHERE: "plug one in or switch it on in the sound settings; `--audio none` plays MIDI only",
    },
    Trouble.DEVICE_REFUSES: {
        LINUX: "another program may hold it: `fuser -v /dev/snd/*` names it; choose another with "
        "--audio (`duet ports`)",
        MACOS: "choose its sample rate in Audio MIDI Setup, or another device with --audio (`duet ports`)",
        WINDOWS: "end its exclusive use in another program, or choose another with --audio (`duet ports`)",
        EVERYWHERE: "choose another with --audio (`duet ports`)",
    },
    Trouble.CRACKLES: {
        LINUX: "ask for larger blocks (--buffer 1024), give JACK a larger period (-p), close heavy programs",
        EVERYWHERE: "ask for larger blocks (--buffer 1024), close heavy programs, plug the charger in",
    },
    Trouble.PIPEWIRE: {
        LINUX: "python-rtmidi's wheel brings a libjack that does not reach PipeWire, not even under pw-jack; the ALSA "
        "sequencer does (`sudo modprobe snd-seq`). Or build it: `pip install --force-reinstall "
        "--no-binary python-rtmidi python-rtmidi`, or start with "
        "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/pipewire-0.3/jack/libjack.so.0",
        EVERYWHERE: "PipeWire is Linux's",
    },
    Trouble.NO_REALTIME: {
        LINUX: "allow it: put yourself into the group audio and `@audio - rtprio 95` into "
        "/etc/security/limits.d/audio.conf; without it notes may leave a few milliseconds late on a busy machine",
        EVERYWHERE: "nothing: the system decides; on a busy machine notes may leave a few milliseconds late",
    },
    Trouble.NO_WEIGHTS: {
        EVERYWHERE: "install Duet again: they come with it. `--voice sine --partner markov` plays without",
    },
    Trouble.SLOW_VOICE: {
        EVERYWHERE: "`--voice sine` needs next to nothing, `--audio none` plays MIDI only; a laptop is quicker with "
        "its charger in and out of power-saving",
    },
    Trouble.SLOW_PARTNER: {
        EVERYWHERE: "`--partner markov` needs next to nothing; a laptop is quicker with its charger in",
    },
    Trouble.NO_TAKES: {
        EVERYWHERE: "name a folder you may write in: `duet config set takes FOLDER`, or --takes",
    },
    Trouble.BAD_SETTINGS: {
        EVERYWHERE: "`duet config edit` opens them and checks them",
    },
    Trouble.NO_TERMINAL: {
        WINDOWS: "use Windows Terminal; --headless plays without a face",
        EVERYWHERE: "run it in a terminal of at least 80 by 24; --headless plays without a face",
    },
}


def advise(trouble: Trouble, system: str) -> str:
    """What to do about it there. system: as `sys.platform`."""
    of_systems = ADVICE[trouble]
    return of_systems.get(system, of_systems[EVERYWHERE])
