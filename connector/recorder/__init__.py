"""The visitors' book: the shape of every request that came, what became of it, and when who deployed what."""
