"""Lets programs ask people for access to /mcp: OAuth 2.1 with PKCE, public clients only."""
