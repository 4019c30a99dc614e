# Each registers by being imported.
import integrations.admin_mcp  # noqa: F401
