# For a base that cannot change under you, add the digest that your registry shows for the tag,
# to both FROM lines: python:3.13-slim@sha256:<digest>
FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1
WORKDIR /build

COPY requirements.txt requirements-build.txt ./
# The files are complete, so that pip has nothing to search for: `pip check` below proves it.
RUN python -m venv tools \
    && tools/bin/pip install --no-deps --require-hashes -r requirements-build.txt \
    && python -m venv --without-pip /opt/fusionsolar-exporter \
    && tools/bin/pip --python /opt/fusionsolar-exporter/bin/python \
        install --no-deps --require-hashes -r requirements.txt

COPY pyproject.toml README.md LICENSE config.example.yaml ./
COPY deploy/systemd deploy/systemd
COPY docs docs
COPY grafana grafana
COPY prometheus prometheus
COPY exporter exporter
# Compiled here, as the root of a running container may be read-only.
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/pip --python /opt/fusionsolar-exporter/bin/python \
        install --no-deps --no-index dist/*.whl \
    && tools/bin/pip --python /opt/fusionsolar-exporter/bin/python check \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/fusionsolar-exporter


FROM python:3.13-slim

ARG VERSION=unknown
LABEL org.opencontainers.image.title="fusionsolar-exporter" \
      org.opencontainers.image.description="Prometheus exporter for Huawei SmartPVMS / FusionSolar" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

COPY --from=build /opt/fusionsolar-exporter /opt/fusionsolar-exporter
ENV PATH="/opt/fusionsolar-exporter/bin:${PATH}" PYTHONDONTWRITEBYTECODE=1
# A fifth less memory: docs/scaling.md.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072
# The base leaves its own modules to be compiled at each start, which takes half of that time.
RUN env -u PYTHONDONTWRITEBYTECODE fusionsolar-exporter --version
# The only place that is written to: the root may be read-only. It holds session tokens.
ENV FUSIONSOLAR_STATE_DIRECTORY=/var/lib/fusionsolar-exporter
RUN install -d -m 0700 -o 65532 -g 65532 "${FUSIONSOLAR_STATE_DIRECTORY}"
VOLUME ["/var/lib/fusionsolar-exporter"]

USER 65532:65532
EXPOSE 10052
STOPSIGNAL SIGTERM
# Knows the default port, and no proxy: HTTP_PROXY is meant for the way to the management system.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", "\
from urllib.request import ProxyHandler, build_opener; \
build_opener(ProxyHandler({})).open('http://127.0.0.1:10052/-/healthy', timeout=4)"]
ENTRYPOINT ["fusionsolar-exporter"]
CMD ["--config.file=/etc/fusionsolar-exporter/config.yaml"]
