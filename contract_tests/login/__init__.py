"""Logging in without a person, as a host does: discovery, client, code, token. Nothing here judges."""
