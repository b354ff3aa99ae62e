# What a service runs in: Python, what its lists of dependencies name and, as `service`, its files.
# A grade takes `dependencies` and brings the files itself. Lists first, files last: an edit of a file installs nothing anew.
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG NODE_IMAGE=node:22-trixie-slim

FROM ${PYTHON_IMAGE} AS base
RUN useradd --uid 2000 --home-dir /tmp --no-create-home app && install -d -o app -g app /app

FROM base AS python-packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN python3 -m venv /venv
COPY requirements.txt /wanted/
RUN /venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --no-cache-dir \
    --only-binary=:all: --requirement /wanted/requirements.txt

FROM base AS dependencies
COPY --from=python-packages /venv /venv
ENV PATH=/venv/bin:$PATH
USER 2000:2000
WORKDIR /app

FROM dependencies AS service
COPY . /app/

FROM ${NODE_IMAGE} AS node-packages
ARG NPM_CONFIG_REGISTRY
COPY package.json package-lock.json /wanted/
RUN cd /wanted && npm ci --omit=dev --ignore-scripts --no-audit --no-fund && mkdir -p node_modules

FROM dependencies AS dependencies-with-node
COPY --from=node-packages /usr/local/bin/ /usr/local/bin/
COPY --from=node-packages /wanted/node_modules /node_modules

FROM dependencies-with-node AS service-with-node
COPY . /app/
