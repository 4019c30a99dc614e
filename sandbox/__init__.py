"""Local stand-ins for the outside platforms: a process of its own that imports nothing of the product."""
