"""The lock: who may come in, and how a host gets a key."""
