# The app in a container, as an ordinary user, with nothing to write to but /tmp:
#
#     docker build -t sts-cohort-dashboard .
#     docker run --read-only --tmpfs /tmp -p 8501:8501 sts-cohort-dashboard
#
# A package index of your own is passed as a secret, so that it stays out of the image:
#     docker build --secret id=pip_conf,src=$HOME/.config/pip/pip.conf -t sts-cohort-dashboard .
ARG BASE_IMAGE=python:3.12-slim-bookworm

# ---- Packages, with the tools that install them
FROM ${BASE_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.txt /tmp/requirements.txt
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install -qq "$(grep '^setuptools==' /tmp/requirements.txt)" \
    && /opt/venv/bin/pip install -qq --no-build-isolation --use-pep517 \
        --requirement /tmp/requirements.txt \
    && /opt/venv/bin/pip check \
    && /opt/venv/bin/pip uninstall -qq --yes pip

# ---- The app
FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="STS Cohort Dashboard" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE requirements.txt app.py ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY static static
COPY sample_data sample_data
COPY sts_core sts_core
COPY pages pages
RUN python -m compileall -q app.py pages sts_core
USER 10001:10001
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; assert u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4).read() == b'ok'"]
CMD ["python", "-m", "streamlit", "run", "app.py"]
