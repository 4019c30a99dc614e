"""The review queue: what waits, who looks at it, how it is decided, and what happens when nobody does."""
