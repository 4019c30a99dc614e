"""What programs read before they ask (RFC 8414)."""

from typing import Any

from django.conf import settings

from integrations.tool_groups import GROUPS

PATHS = {
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/oauth/token",
    "registration_endpoint": "/oauth/register",
    "revocation_endpoint": "/oauth/revoke",
}


def metadata() -> dict[str, Any]:
    return {
        "issuer": settings.BASE_URL,
        **{name: settings.BASE_URL + path for name, path in PATHS.items()},
        "scopes_supported": list(GROUPS),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        "protected_resources": [settings.MCP_URL],
    }
