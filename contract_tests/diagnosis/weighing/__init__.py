"""What pieces of evidence weigh, and what they come to. Pure; the weights are data."""
