"""Copies of an installation: made, brought back, and tried (docs/operations.md)."""
