"""The commands of `mcp-ballast`, one to a file: what was typed becomes a call, and its outcome an exit code."""
