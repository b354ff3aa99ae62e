# Python to run a service on. Node.js is there too: what the official image of Node.js has in one file is several here.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3 python3-venv python3-pip nodejs \
 && rm -rf /var/lib/apt/lists/*
