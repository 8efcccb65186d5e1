# The digest decides which image is used; the tag names its version. Change both together, in both stages.
FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No package that runs in production needs its install script; what is optional is TypeScript, for tools only. Types and
# source maps are for tools too.
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
  && find node_modules -type f \
    \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete


FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20
# tini is process 1: it hands signals on, also before the program listens to them, and reaps what is orphaned.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && ln -s /app/src/main.ts /usr/local/bin/torikomi \
  && install --directory --owner=10001 --group=10001 --mode=0700 /data
# The program starts no other program: neither package managers, which need updates of their own, nor programs that run
# as a different user.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn-* /root/.npm \
    /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && find / -xdev -type f -perm /6000 -exec chmod a-s '{}' +

WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY migrations ./migrations
COPY src ./src

# Compiled code halves the time that Node.js takes to load the program. The cache has a folder for each user. It belongs to
# root, so that the program cannot change it.
ENV NODE_COMPILE_CACHE=/var/cache/torikomi
RUN install --directory --owner=10001 --group=10001 "$NODE_COMPILE_CACHE" \
  && setpriv --reuid=10001 --regid=10001 --clear-groups torikomi --version \
  && chown --recursive root:root "$NODE_COMPILE_CACHE" \
  && chmod --recursive a+rX "$NODE_COMPILE_CACHE"

ARG REVISION=unknown
LABEL org.opencontainers.image.title="torikomi" \
  org.opencontainers.image.description="Imports contracts concluded in DocuSign into a contract cabinet" \
  org.opencontainers.image.version="1.0.0" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="docker.io/library/node:24.21.0-bookworm-slim" \
  org.opencontainers.image.base.digest="sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20"

# Nothing is written outside DATA_DIR, so the root file system can be read-only.
ENV NODE_ENV=production DATA_DIR=/data HOME=/data
VOLUME /data
EXPOSE 3000
USER 10001:10001
ENTRYPOINT ["tini", "--", "torikomi"]
CMD ["serve"]
