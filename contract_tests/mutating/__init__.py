"""Platform changes that have not happened yet, derived from sessions by rule, tried, and shrunk to what breaks."""
