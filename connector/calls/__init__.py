"""The desk: one tool call from arrival to answer."""
