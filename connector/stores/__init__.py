"""The archive: where calls that run once, and records that outlive a process, are kept."""
