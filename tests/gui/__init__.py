"""Windows on a screen that nobody sees, driven by a real pointer and keyboard."""
