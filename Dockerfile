# The application's image. Alone it runs everything (`scout up`, on SQLite and what came along); docker-compose.yml and
# deploy/kubernetes/ run its parts one by one. It holds no tests, no compiler and no pip, runs as uid 10001, and needs
# to write to /data and /tmp alone:
#   docker build -t iam-job-scout .
#   docker run --read-only --tmpfs /tmp -v scout:/data -p 127.0.0.1:5000:5000 iam-job-scout
# A tag's digest is the registry's to tell: where builds must be the same to the byte, give
# --build-arg PYTHON=3.12.12-slim-bookworm@sha256:...
ARG PYTHON=3.12.12-slim-bookworm

FROM python:${PYTHON} AS built
WORKDIR /app
RUN python -m venv /venv
# The packages first: they change less often than we do, and stay in the build's cache.
COPY requirements.txt ./
RUN /venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r requirements.txt
COPY . .
# Installed as it lies, since what the program reads lies beside it. Compiled once, here: nothing can be written later,
# and nobody asks again whether a source is newer.
RUN /venv/bin/pip install --no-cache-dir --no-compile --no-deps --no-build-isolation -e . \
    && /venv/bin/pip uninstall --yes setuptools pip \
    && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /venv/lib metrics scout webapp workers demo

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="IAM Job Scout" \
      org.opencontainers.image.description="Scans public job boards, keeps every job once, follows it; measured by push." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 scout \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin scout \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=built /venv /venv
COPY --from=built /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SCOUT_DATA_DIR=/data \
    SCOUT_HOST=0.0.0.0
USER 10001:10001
VOLUME /data
EXPOSE 5000
STOPSIGNAL SIGTERM
# Ready, not only alive: whoever waits for this container wants its pages. Containers that run another part of the
# program have no pages, and switch this off.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('SCOUT_PORT') or 5000}/readyz\", timeout=4)"]
CMD ["scout", "up"]
