"""Who decides: how a person is recognised, and the page on which they decide."""
