"""A connector seen from inside: its visitors' book, its history of runs, its fleet, and what people say. Pure."""
