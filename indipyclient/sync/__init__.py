"""What `syncclient` is made of: futures, subscriptions, and the client in its thread."""
