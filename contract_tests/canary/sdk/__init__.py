"""The newest client library against the pinned one: what it does today, hosts may do tomorrow."""
