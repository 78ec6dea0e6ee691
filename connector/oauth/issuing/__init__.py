"""The lock that also cuts the keys: a small authorization server for connectors without an identity provider."""
