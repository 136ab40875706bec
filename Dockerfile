# CIFAR-10 Lab in a container: docker compose up; docs/container.md says more.
#
# The first stage installs the packages, the second keeps them and the lab and nothing else.
# ACCELERATOR=gpu installs TensorFlow with CUDA; the container then needs the NVIDIA runtime.

# A tag can be moved to another image. Pin the one you have looked at by its digest:
# --build-arg PYTHON=docker.io/library/python:3.11-slim-bookworm@sha256:…
ARG PYTHON=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON} AS packages
ARG ACCELERATOR=cpu
WORKDIR /build
COPY requirements.lock requirements-gpu.lock ./
RUN python3 -m venv /opt/lab \
    && case "$ACCELERATOR" in \
        cpu) lock=requirements.lock ;; \
        gpu) lock=requirements-gpu.lock ;; \
        *) echo "ACCELERATOR is cpu or gpu, not $ACCELERATOR" >&2; exit 1 ;; \
    esac \
    && /opt/lab/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes -r "$lock"

FROM ${PYTHON}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lab --shell /usr/sbin/nologin lab \
    && install -d -o lab -g lab /var/lab /var/lab/data /var/lab/runs /var/lab/feedback
COPY --from=packages /opt/lab /opt/lab
WORKDIR /srv/lab
COPY . .
ENV PATH=/opt/lab/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lab \
    CIFAR_LAB_DATA=/var/lab/data \
    CIFAR_LAB_RUNS=/var/lab/runs \
    CIFAR_LAB_FEEDBACK=/var/lab/feedback \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_BROWSER_SERVER_ADDRESS=localhost
USER lab
VOLUME /var/lab/data /var/lab/runs /var/lab/feedback
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('STREAMLIT_SERVER_PORT', '8501') + '/_stcore/health', timeout=4)"]
# Collects what ends; at SIGTERM every training writes its checkpoint and stops.
ENTRYPOINT ["python", "-m", "cifar_core.container"]
CMD ["streamlit", "run", "app.py"]
