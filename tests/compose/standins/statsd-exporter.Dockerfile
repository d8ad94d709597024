# Stand-in for prom/statsd-exporter: takes packets and drops them, and serves an empty page of metrics.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 wget \
    && rm -rf /var/lib/apt/lists/*
COPY statsd_exporter.sh /bin/statsd_exporter
