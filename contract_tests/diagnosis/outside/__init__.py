"""A target seen from outside: asking it as hosts do, and reading conclusions off the answers."""
