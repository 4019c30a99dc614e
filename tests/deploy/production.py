"""Run in a process of its own, with the environment of production: what the checks say, and how answers leave."""

import asyncio
import json
from io import StringIO

import django
import httpx

HOST = "rostrum.example.com"
# A page, the API, the staff's, a static file, a page that is missing, an address that is missing, a refused host.
ASKED = {
    "page": "/accounts/login/",
    "api": "/api/campaigns",
    "docs": "/docs",
    "admin": "/admin/login/",
    "static": "/static/admin/css/base.css",
    "missing": "/nowhere",
    "missing api": "/api/nowhere",
    "refused host": "/",
    "redirect": "/posts",
    "mcp": "/mcp",
    "mcp metadata": "/.well-known/oauth-protected-resource/mcp",
}


def main() -> None:
    django.setup()
    from django.core.management import call_command

    said = StringIO()
    call_command("check", deploy=True, databases=["default"], fail_level="WARNING", stdout=said, stderr=said)
    print(json.dumps({"said": said.getvalue(), "answers": asyncio.run(answers())}))


async def answers() -> dict[str, dict[str, object]]:
    from marketing.asgi import application

    transport, found = httpx.ASGITransport(app=application), {}
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
        for name, address in ASKED.items():
            headers = {"Host": "evil.example" if name == "refused host" else HOST, "X-Forwarded-Proto": "https"}
            answer = await client.get(address, headers=headers)
            found[name] = {"status": answer.status_code, "headers": dict(answer.headers)}
    return found


if __name__ == "__main__":
    main()
