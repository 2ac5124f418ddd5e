"""The instruments of the ensemble: which of General MIDI's programs each is, and how it is measured."""

from dataclasses import dataclass

from models.fit_instrument import InstrumentFit

RATE = 32_000
"""Samples a second at which an instrument is measured."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One of the voices that share a network."""

    program: int
    """Its General MIDI program, 0..127."""
    fit: InstrumentFit
    """How its keys are measured."""
    gain: float = 1.0
    """FluidSynth's gain for it: about as loud as the piano, and its chords in range."""


INSTRUMENTS = {
    "piano": Instrument(0, InstrumentFit(RATE, apart=1)),
    "organ": Instrument(
        16, InstrumentFit(RATE, sustained=True, slow_poles=8, peaks=120, seconds=8.5), gain=0.6
    ),
    "guitar": Instrument(
        24, InstrumentFit(RATE, apart=1, velocity=127, coloured=True, rest_top=6_000.0), gain=0.7
    ),
    "strings": Instrument(
        48, InstrumentFit(RATE, sustained=True, chorus=True, peaks=60, depth=55.0, apart=1), gain=0.6
    ),
    "vibes": Instrument(11, InstrumentFit(RATE, apart=1, velocity=127, coloured=True), gain=0.9),
}
"""By the names of their voices, in the order of the network's embedding; the piano's partials are the shipped ones."""
