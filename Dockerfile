# Two images from one repository: `web`, the platform without torch, and `worker`, the trainer without Django.
# What runs in them is said once, in docker-compose.yml.
# pip's and npm's own settings hold: --build-arg PIP_INDEX_URL=... takes packages, and a build of torch, from elsewhere.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS base
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PATH=/opt/whetstone/bin:$PATH
RUN useradd --uid 10001 --create-home whetstone && python -m venv /opt/whetstone
WORKDIR /srv/whetstone
COPY pyproject.toml constraints.txt README.md LICENSE ./

FROM base AS web
# The packages first: a change of our code does not install them again. Editable, it only notes where our code will lie.
RUN pip install --constraint constraints.txt --editable '.[web]'
COPY manage.py ./
COPY contracts contracts
COPY graders graders
COPY platform platform
COPY --from=frontend /build/frontend/dist frontend/dist
RUN WHETSTONE_HOME=/tmp/build python manage.py messages --compile && rm -rf /tmp/build \
    && install --directory --owner whetstone --group whetstone /var/lib/whetstone
USER whetstone
ENV WHETSTONE_HOME=/var/lib/whetstone
VOLUME /var/lib/whetstone
EXPOSE 8000

FROM base AS worker
RUN pip install --constraint constraints.txt --editable '.[worker]'
COPY contracts contracts
COPY graders graders
COPY trainer_worker trainer_worker
RUN install --directory --owner whetstone --group whetstone /var/lib/whetstone-worker
USER whetstone
ENV WHETSTONE_SCRATCH=/var/lib/whetstone-worker
VOLUME /var/lib/whetstone-worker
