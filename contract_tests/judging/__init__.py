"""Judging replies: what one says whatever its framing, and whether that is what a session expects. All of it pure."""
