"""Duet: a call-and-response partner for a MIDI keyboard."""

__version__ = "0.1.0"
