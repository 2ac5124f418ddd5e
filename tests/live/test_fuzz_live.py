"""Whatever a broken cable or a hostile program may send; for two minutes with

DUET_FUZZ_SECONDS=120 pytest tests/live/test_fuzz_live.py
"""

import logging
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from duet.jack_rig import Duet, Rig, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

logger = logging.getLogger(__name__)

SECONDS = float(os.environ.get("DUET_FUZZ_SECONDS", "4"))
RATE = 2000
"""Messages a second."""
RELEASES = [bytes([0x80 | channel, key, 0]) for channel in range(16) for key in range(128)]
PHRASE = [60, 64, 67, 72, 67, 64]


def garbage(draw: random.Random) -> bytes:
    """One message, or what passes for one."""
    key, channel = draw.randrange(128), draw.randrange(16)
    return draw.choice(
        [
            bytes([0x90 | channel, key, draw.randrange(128)]),
            bytes([0x90 | channel, key, 0]),  # a release by another name
            bytes([0x80 | channel, key, 64]),
            bytes([0x90, 60, 80]),  # the same key, again and again
            bytes([0x80, 60, 0]),
            bytes([0xB0 | channel, draw.randrange(128), draw.randrange(128)]),
            bytes([0xB0, 64, draw.choice([0, 127])]),
            bytes([0xE0 | channel, draw.randrange(128), draw.randrange(128)]),
            bytes([0xFE]),  # active sensing
            bytes([draw.choice([0xF8, 0xFA, 0xFB, 0xFC])]),  # clock, start, continue, stop
            bytes([0xF2, draw.randrange(128), draw.randrange(128)]),
            bytes([key, draw.randrange(128)]),  # running status
            bytes([0x90 | channel, key]),  # cut short
            bytes([0x90 | channel, 128 + key, 255]),  # data that is no data
            bytes([0xF0, *(draw.randrange(256) for _ in range(draw.randrange(40))), 0xF7]),
            bytes([0xF0, 1, 2]),  # a system exclusive that never ends: deaf until some F7, ours at the latest
            bytes([0xFF]),
            bytes(draw.randrange(256) for _ in range(draw.randrange(1, 6))),
        ]
    )


def memory_of(process: int) -> float:
    """Resident megabytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_whatever_comes_in_duet_lives_forgets_nothing_down_and_answers_the_next_phrase(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet("--partner", "markov", "--audio", "none", "--turn", "fixed:0.4", "--clock", "internal")
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    draw, before, sent = random.Random(7), memory_of(duet.process.pid), 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < SECONDS:
        count = int(RATE * passed) - sent
        rig.to_send += [garbage(draw) for _ in range(count)]
        sent += count
        time.sleep(0.02)
    wait_for(lambda: not rig.to_send, 30, "all was sent")
    lift = [bytes([0xB0 | channel, 64, 0]) for channel in range(16)]
    rig.play([0xF0, 1, 2])  # and nobody ends it
    wait_for(lambda: not rig.to_send, 30, "it was left open")
    time.sleep(2.0)
    for message in [*RELEASES, *lift]:
        rig.to_send.append(message)
    wait_for(lambda: not rig.to_send, 30, "all was let go")
    time.sleep(1.0)
    wait_for(lambda: not rig.sounding(), 30, "whatever was being answered ends")
    time.sleep(1.0)
    released = rig.play_phrase(PHRASE)
    wait_for(lambda: rig.note_ons(released), 5, f"the next phrase is answered: {duet.text[-2000:]}")
    waited = rig.note_ons(released)[0][0] - released
    grown = memory_of(duet.process.pid) - before
    logger.info("%d messages; then answered after %.3f s; memory grew %.1f MB", sent, waited, grown)
    assert waited < 1.5, "no queue of old messages stands before the new"
    assert grown < 60
    assert duet.end() == 0
    assert rig.sounding() == set()
    assert "Traceback" not in duet.text
