"""What stands between the client's loop and the program's queues and threads."""
