"""How much is on its way at once, what is turned away, and whether the loop keeps up."""
