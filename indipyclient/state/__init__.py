"""The client's state: an immutable tree, and how one message makes the next tree of it.

No I/O and no clock here: times come in as arguments.
"""
