# Stand-in for postgres: Debian's PostgreSQL 15, with that image's variables and folder of scripts.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --no-create-home --home-dir /tmp fraudwatch
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
COPY postgres.sh /usr/local/bin/docker-entrypoint.sh
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
