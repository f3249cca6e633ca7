"""The parts of `IPyClient`, each with one thing to look after; all for the client's own loop."""
