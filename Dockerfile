FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN make build BIN=/out/roster VERSION="${VERSION}" GOFLAGS=-buildvcs=false \
 && mkdir -m 0700 /out/data

# static: no shell, but certificates and time zones; the user is nonroot (65532).
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/roster /usr/local/bin/roster
COPY --from=build --chown=nonroot:nonroot --chmod=0700 /out/data /data
ENV ROSTER_LISTEN=0.0.0.0:8000 \
    ROSTER_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
USER nonroot
ENTRYPOINT ["/usr/local/bin/roster"]
CMD ["serve"]
