"""The rules, by what they change. Every one is a pure function of a session."""
