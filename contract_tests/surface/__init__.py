"""The list of tools that a platform has approved, beside today's: what needs a refresh, and what breaks calls."""
