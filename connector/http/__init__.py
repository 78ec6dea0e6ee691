"""The door: what is this request, may it come in, and how is its reply kept warm."""
