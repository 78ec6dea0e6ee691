"""Another app behind the door: the SDK's sessions, or any MCP app that is hardened."""
