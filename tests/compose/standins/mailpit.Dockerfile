# Stand-in for axllent/mailpit: accepts mails, prints them, and serves a page.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-aiosmtpd \
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK --interval=10s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8025"]
CMD ["sh", "-c", "python3 -m http.server 8025 --directory /tmp & exec python3 -m aiosmtpd -n -l 0.0.0.0:1025"]
