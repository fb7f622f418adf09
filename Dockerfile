FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# With .git, from which make and go take the version.
COPY . .
ARG TARGETOS TARGETARCH
RUN GOOS="${TARGETOS}" GOARCH="${TARGETARCH}" make build BIN=/out/roster && mkdir -m 0700 /out/data

# static: no shell, but certificates and time zones; the user is nonroot (65532).
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/roster /usr/local/bin/roster
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
# The admin listener is for the health check. To reach it from elsewhere set ROSTER_ADMIN_LISTEN=0.0.0.0:8001.
ENV ROSTER_LISTEN=0.0.0.0:8000 \
    ROSTER_ADMIN_LISTEN=127.0.0.1:8001 \
    ROSTER_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
USER 65532:65532
# The start period is what a start may take: waiting for a database server and migrating.
HEALTHCHECK --interval=10s --timeout=6s --start-period=130s CMD ["/usr/local/bin/roster", "health"]
ENTRYPOINT ["/usr/local/bin/roster"]
CMD ["serve"]
