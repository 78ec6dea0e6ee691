"""What a target offers: its tools, which of them may be called, and with what arguments. All of it pure."""
