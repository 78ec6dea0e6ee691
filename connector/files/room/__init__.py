"""The reading room: processes that parse what strangers send, and how they are kept, watched and replaced."""
