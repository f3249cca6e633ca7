"""What the live objects of the 0.9 interface share, and the live devices."""
