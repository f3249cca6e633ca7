"""Tests of the protocol core: bytes in, messages out, and back."""
