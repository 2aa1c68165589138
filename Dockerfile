# Oversmooth as a server, for one that strangers can share: see docs/hosting.md. `scripts/image-build` builds it.
#
# BASE has no default: a digest must be looked up by who builds, not believed. scripts/image-build does that, or
#   docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:… --tag oversmooth:cpu .
# An empty one stops the build with “base name (${BASE}) should not be blank”.
# The base needs Python 3.11 with venv, and useradd; the lock files are for x86-64.
ARG BASE
# cpu or cuda: which of deploy/requirements-*.txt is installed. The cuda image takes NVIDIA's libraries from their wheels
# and the driver from the host (NVIDIA Container Toolkit); it is some 5 GB larger.
ARG VARIANT=cpu

# Oversmooth's own wheel.
# hadolint ignore=DL3006
FROM ${BASE} AS wheel
RUN python3 -m venv /build
COPY deploy/requirements-build.txt /source/deploy/
RUN /build/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes \
        --requirement /source/deploy/requirements-build.txt
WORKDIR /source
COPY pyproject.toml README.md LICENSE app.py ./
COPY .streamlit .streamlit
COPY assets assets
COPY pages pages
COPY oversmooth oversmooth
RUN /build/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-index --no-deps --no-build-isolation \
        --wheel-dir /wheels .

# The environment: every wheel by its hash, nothing resolved and nothing compiled but Python.
# hadolint ignore=DL3006
FROM ${BASE} AS environment
ARG VARIANT
# Where PyTorch publishes its builds for the CPU. Another index or a mirror cannot slip in another file: the hash decides.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# On another processor pip would find other wheels, and speak of tampering.
RUN [ "$(uname -m)" = x86_64 ] || { echo "Error: the lock files are for x86-64, and this is $(uname -m). Build for" \
        "linux/amd64 (docker build --platform linux/amd64), which other processors run slowly." >&2; exit 1; }
COPY deploy/requirements-${VARIANT}.txt deploy/slim /source/deploy/
RUN python3 -m venv /opt/venv \
    && PIP_EXTRA_INDEX_URL="${TORCH_INDEX}" /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --no-compile --no-deps --require-hashes --requirement "/source/deploy/requirements-${VARIANT}.txt" \
    && /source/deploy/slim /opt/venv
COPY --from=wheel /wheels /wheels
# Bytecode that is never checked against its source: nothing could be written anew, and two builds are alike. PyTorch
# carries a file in the grammar of a later Python.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile --no-index --no-deps /wheels/*.whl \
    && /opt/venv/bin/pip uninstall --yes pip \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -x py312_ /opt/venv/lib

# hadolint ignore=DL3006
FROM ${BASE}
# A user without shell and home. Models are fetched into /models, which the server itself only reads.
COPY deploy/models.json /models/allowed.json
RUN useradd --uid 10001 --no-log-init --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin oversmooth \
    && chown -R 10001:10001 /models
COPY --from=environment /opt/venv /opt/venv
ARG PROFILE=hosted-s
# /tmp is the one place that is written to; a library that asks for a home gets it too.
ENV PATH="/opt/venv/bin:${PATH}" \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OVERSMOOTH_PROFILE="${PROFILE}" \
    OVERSMOOTH_PORT=8501 \
    OVERSMOOTH_MODELS=/models/allowed.json \
    HF_HOME=/models \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    TRANSFORMERS_OFFLINE=1 \
    DO_NOT_TRACK=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    OMP_WAIT_POLICY=PASSIVE
USER 10001:10001
WORKDIR /tmp
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-I", "-S", "-c", \
    "import http.client, os; \
    port = os.environ['OVERSMOOTH_PORT']; \
    asked = http.client.HTTPConnection('127.0.0.1', int(port) if port.isdecimal() else 8501, timeout=5); \
    asked.request('GET', '/healthz'); \
    raise SystemExit(asked.getresponse().status != 200)"]
ENTRYPOINT ["oversmooth"]
CMD ["app"]
ARG BASE
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Oversmooth" \
      org.opencontainers.image.description="See how the tokens of a text grow alike through a transformer." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE}"
