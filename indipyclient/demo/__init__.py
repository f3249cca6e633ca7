"""The demo: instruments that are invented, and a program that shows the client at work with them.

`indipyclient.demo.instruments.DemoInstruments` serves them; `python -m indipyclient demo` is the program.
Needs the extra "demo": pip install "indipyclient[demo]".
"""
