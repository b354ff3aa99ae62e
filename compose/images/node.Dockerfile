# Node.js and npm, to install what a package-lock.json names.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends nodejs npm \
 && rm -rf /var/lib/apt/lists/*
