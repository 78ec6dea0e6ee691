"""A night: everything that is asked of a connector and of its platforms while nobody uses them, in one report."""
