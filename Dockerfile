FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No package that runs in production needs its install script; what is optional is TypeScript, for tools only.
RUN npm ci --omit=dev --omit=optional --ignore-scripts


FROM node:24.21.0-bookworm-slim
# tini is process 1: it hands signals on, also before the program listens to them, and reaps what is orphaned.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && ln -s /app/src/main.ts /usr/local/bin/torikomi \
  && install --directory --owner=10001 --group=10001 --mode=0700 /data

WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY migrations ./migrations
COPY src ./src

# Nothing is written outside DATA_DIR, so the root file system can be read-only.
ENV NODE_ENV=production DATA_DIR=/data
VOLUME /data
EXPOSE 3000
USER 10001:10001
ENTRYPOINT ["tini", "--", "torikomi"]
CMD ["serve"]
