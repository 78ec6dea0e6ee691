"""The platform's API as a live caller: it is asked to call one tool of the connector, and says how that went."""
