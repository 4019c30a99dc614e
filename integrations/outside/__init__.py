"""Other people's MCP servers: what assistants may use of them, as an admin allowed it. Nothing they say is trusted."""
