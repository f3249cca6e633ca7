"""Thread-safe, queue-bridged client for INDI instruments."""

version = "1.0.0"
