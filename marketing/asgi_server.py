"""`python -m marketing.asgi_server --fd N`: the ASGI application on a socket that listens already."""

import argparse
import socket

import uvicorn


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--app", default="marketing.asgi:application")
    given = parser.parse_args()
    # uvicorn's own --fd takes every socket for one of Unix, and then leaves Nagle's algorithm on.
    listener = socket.socket(fileno=given.fd)
    config = uvicorn.Config(
        given.app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="on",
        server_header=False,
        # Applications read X-Forwarded-For themselves (TRUSTED_PROXIES).
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
