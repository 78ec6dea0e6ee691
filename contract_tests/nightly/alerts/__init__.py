"""Who hears of a night's news, and in which form."""
