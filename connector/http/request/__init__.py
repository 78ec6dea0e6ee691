"""What a request says, and whether and how it may be read: decisions without a loop or a socket."""
