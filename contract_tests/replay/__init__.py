"""Playing sessions: from templates to requests on a socket, and from replies to findings."""
