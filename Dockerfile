# One image for every process of Tollgate: `docker run tollgate collect|meter|alert|serve -c FILE`.
# Its root file system may be read-only; /var/lib/tollgate and /tmp are written to.

FROM node:26.10.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY shared ./shared
COPY services ./services
COPY alerts ./alerts
RUN npm run build

# The image brings its Node; the package's own, which its install script fetches, stays away.
FROM node:26.10.0-bookworm-slim AS modules
WORKDIR /modules
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26.10.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/tollgate
COPY --from=modules /modules/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY package.json ./
RUN mkdir -p /var/lib/tollgate && chown node:node /var/lib/tollgate
VOLUME /var/lib/tollgate
USER node
EXPOSE 8470 2003 4560
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8470/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/services/cli/main.js"]
CMD ["--help"]
