"""What was allowed to whom, and the codes and tokens that stand for it."""
