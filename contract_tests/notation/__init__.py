"""The session format: what a session file may say, and how it becomes values. Nothing here sends anything."""
