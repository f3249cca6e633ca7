"""What the tests share: real INDI servers, a client driven by its queues, and a look for leaks."""
