"""What one request is made of, and which parts of it may be said: tables and decisions, without a loop or a socket."""
