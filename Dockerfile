# The official server image with pg_grove in it:
#   docker build -t pg_grove --build-arg PG_MAJOR=17 .
#   docker run --rm -e POSTGRES_PASSWORD=secret pg_grove
# This file is not covered by the tests, which need no Docker.
ARG PG_MAJOR=17

FROM postgres:${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev make postgresql-server-dev-${PG_MAJOR} \
 && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN make -C /src with_llvm=no clean all \
 && make -C /src with_llvm=no install DESTDIR=/stage

FROM postgres:${PG_MAJOR}-bookworm
COPY --from=build /stage /
