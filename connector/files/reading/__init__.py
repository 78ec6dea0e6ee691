"""What runs in a process of its own: parsers, and the few words they speak with whoever started them.

Nothing here imports the rest of the package, so that such a process is small and starts in a moment.
"""
