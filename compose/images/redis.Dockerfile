# Redis as the official image has it: redis-server on PATH and a user redis.
ARG BASE
FROM ${BASE}
RUN useradd --system --uid 999 --home-dir /data --create-home redis \
 && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /data
USER redis
