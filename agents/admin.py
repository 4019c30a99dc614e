# Registers by being imported.
import agents.admin_prompts  # noqa: F401
