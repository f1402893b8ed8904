# The service's image: ingest, api and the one-shot commands are one program with different arguments.
# Built by docker-compose.yml, or: docker build --tag taizhang .

FROM python:3.11.13-slim-bookworm AS built
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements-runtime.lock /tmp/requirements-runtime.lock
# Wheels only: what is built from source would be built from something without a hash.
RUN /opt/venv/bin/python -m pip install --require-hashes --only-binary :all: -r /tmp/requirements-runtime.lock

# What the browser shows. Node comes as a wheel, by hash, and stays behind with this stage.
FROM python:3.11.13-slim-bookworm AS console
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 NODE_HOME=/opt/node PYTHON=python
WORKDIR /build
COPY console /build/console
COPY openapi.json /build/openapi.json
RUN console/with-node npm ci --no-audit --no-fund && console/with-node npm run build

FROM python:3.11.13-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# With it photos of tags are read by pyzbar first, which is quicker; zxing-cpp brings its own library.
RUN apt-get update && apt-get install -y --no-install-recommends libzbar0 && rm -rf /var/lib/apt/lists/*
# The credentials of the broker belong to Mosquitto's user (1883 in its image), who alone reads them: a volume mounted
# here for the first time takes over this directory's owner and mode.
RUN useradd --system --uid 10001 --user-group --no-create-home taizhang \
    && install -d -o 1883 -g 1883 -m 0700 /etc/mosquitto/taizhang \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/taizhang/photos
COPY --from=built /opt/venv /opt/venv
WORKDIR /opt/taizhang
COPY --from=console /build/console/dist ./console/dist
COPY taizhang.py settings.py ./
COPY api ./api
COPY credentials ./credentials
COPY demo ./demo
COPY dispatch ./dispatch
COPY embedded ./embedded
COPY estate ./estate
COPY estates ./estates
COPY ingest ./ingest
COPY inspection ./inspection
COPY ledger ./ledger
COPY rules ./rules
COPY simulators ./simulators
COPY watching ./watching
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "taizhang.py"]
CMD ["--help"]
