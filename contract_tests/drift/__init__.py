"""Drift: what callers send tonight against what somebody approved. Kinds and severities, a lock file, and a trial."""
