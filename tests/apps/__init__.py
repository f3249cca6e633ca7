"""The published applications run on this package, put in the place of the indipyclient they pulled in."""
