#!/bin/sh
# Stand-in for statsd_exporter: its options are accepted and ignored.
mkdir -p /tmp/page && : >/tmp/page/metrics
exec python3 -m http.server 9108 --directory /tmp/page
