"""The way to the server: one connection (`transport`), and keeping one up (`link`)."""
