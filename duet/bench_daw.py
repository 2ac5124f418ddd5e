"""Have a real DAW record an answer: Ardour without its window, driven by Lua, on a private JACK server.

What it wrote down is compared with what was on the wire and with the take that Duet kept.
"""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from duet.errors import MissingExtra
from duet.jack_rig import Duet, Rig, jack_server, stop, wait_for
from duet.midi import read_midi
from duet.note import notes_of

PHRASE = (60, 64, 67, 72, 71, 67, 64, 62, 60, 64, 67, 72)
TICKS, BEAT = 1920, 0.5
"""Ardour's ticks a beat; seconds a beat in a new session, which is at 120 bpm."""
RECORD = """
AudioEngine:set_backend("JACK", "ardour", "")
local s = create_session("session", "duet", 48000)
local midi, audio = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1), ARDOUR.ChanCount(ARDOUR.DataType("audio"), 2)
local tracks = s:new_midi_track(midi, midi, true, ARDOUR.PluginInfo(), nil, nil, 1, "duet",
    ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
local track
for t in tracks:iter() do track = t end
track:input():midi(0):connect("Duet:Duet")
track:rec_enable_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
ARDOUR.LuaAPI.usleep(300000)
s:goto_start(false); ARDOUR.LuaAPI.usleep(300000)
s:maybe_enable_record(); s:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
ARDOUR.LuaAPI.usleep(300000)
io.open("rolling", "w"):close()
while not io.open("played", "r") do ARDOUR.LuaAPI.usleep(100000) end
s:disable_record(false, false); s:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
for i = 1, 10 do ARDOUR.LuaAPI.usleep(100000); collectgarbage() end
for r in track:to_track():playlist():region_list():iter() do
  local region = r:to_midiregion()
  if not region:isnil() then
    for n in ARDOUR.LuaAPI.note_list(region:midi_source(0):model()):iter() do
      print("note", n:note(), n:velocity(), tostring(n:time()))
    end
  end
end
close_session()
quit()
"""


def bench_daw() -> dict[str, Any]:
    """Return how many notes Ardour recorded, and how far each lay from the wire and the take. Raises MissingExtra."""
    ardour = shutil.which("ardour7-lua") or shutil.which("ardour8-lua")
    if not ardour:
        raise MissingExtra("this needs Ardour: `apt install ardour`")
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as closing:
        folder = Path(scratch)
        closing.enter_context(jack_server(folder / "jackd.log"))
        rig = Rig()
        closing.callback(rig.close)
        duet = Duet(folder, "--partner", "markov", "--audio", "none", "--seed", "1")
        closing.callback(stop, duet.process)
        duet.wait_until("ready, play something")
        rig.connect_keyboard("Duet-in:in")
        rig.listen_to("Duet:Duet")
        script, log = folder / "record.lua", folder / "ardour.log"
        script.write_text(RECORD)
        with log.open("w") as sink:
            daw = subprocess.Popen([ardour, script], cwd=folder, env=os.environ, stdout=sink, stderr=sink)
        closing.callback(stop, daw)
        wait_for((folder / "rolling").exists, 60, "Ardour records")
        rig.play_phrase(PHRASE, interval=0.22)
        wait_for(rig.note_ons, 10, "an answer")
        wait_for(_rested(rig), 40, "the answer ends")
        (folder / "played").touch()
        daw.wait(60)
        duet.end()
        return _compare(log.read_text(), rig, next(duet.takes.glob("*.mid")))


def _rested(rig: Rig) -> Any:
    """True when nothing has been sent for two seconds of the rig's clock."""
    return lambda: not rig.sounding() and rig.length / 48_000 - rig.received[-1][0] > 2


def _compare(log: str, rig: Rig, take: Path) -> dict[str, Any]:
    rows = re.findall(r"^note (\d+) (\d+) (-?\d+):(\d+)", log.replace("\t", " "), re.MULTILINE)
    recorded = sorted(((int(beat) + int(tick) / TICKS) * BEAT, int(pitch)) for pitch, _, beat, tick in rows)
    wire = [(at, pitch) for at, pitch, _ in rig.note_ons()]
    kept = [(note.onset, note.pitch) for note in notes_of(read_midi(take))][len(PHRASE) :]
    report: dict[str, Any] = {"notes_sent": len(wire), "notes_recorded": len(recorded)}
    for name, others in (("wire", wire), ("take", kept)):
        if [pitch for _, pitch in others] != [pitch for _, pitch in recorded]:
            report[f"from_{name}"] = "other notes"
            continue
        apart = np.array([a - b for (a, _), (b, _) in zip(recorded, others, strict=True)])
        apart = 1000 * np.abs(apart - np.median(apart))  # the recorder's own clock began somewhere
        report[f"from_{name}_ms_p50"], report[f"from_{name}_ms_max"] = (
            float(np.median(apart)),
            float(apart.max()),
        )
    return report
