"""Contracts that need more than one dialogue: numbered, each a value and a function that asks."""
