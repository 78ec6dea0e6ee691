"""How an attachment comes from where the platform keeps it to a file of our own."""
