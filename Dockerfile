# syntax=docker/dockerfile:1
# Two stages: one that has what building needs, one that has what running needs.

FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends nodejs npm libmagic1 libpango-1.0-0 \
      libpangoft2-1.0-0 libharfbuzz-subset0 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN python -m qms.local.assets
# Complete settings with made-up values: gathering static files asks no server anything.
RUN QMS_MODE=production SECRET_KEY=$(head -c 64 /dev/urandom | base64 -w0) ALLOWED_HOSTS=build \
    PUBLIC_URL=https://build DATABASE_URL=postgres://x:x@build/x REDIS_URL=redis://build/0 \
    EMAIL_HOST=build DEFAULT_FROM_EMAIL=build@build PACK_SIGNING_KEY=build STATIC_ROOT=/app/static-gathered \
    python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf node_modules var

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmagic1 libpango-1.0-0 libpangoft2-1.0-0 \
      libharfbuzz-subset0 fontconfig fonts-dejavu-core gettext-base \
      libreoffice-writer-nogui libreoffice-calc-nogui \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin qms \
 && install -d -o qms -g qms -m 750 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
# The root file system may be read-only: what is written goes to /data and /tmp.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    QMS_MODE=production VAR_DIR=/data STATIC_ROOT=/app/static-gathered WEB_BIND=0.0.0.0:8000
USER 10001
EXPOSE 8000
CMD ["gunicorn", "qms.wsgi"]
