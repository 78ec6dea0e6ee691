"""Documents that a platform publishes: fetched, and compared with what they were."""
