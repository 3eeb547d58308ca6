#!/usr/bin/env bash
# Images to load, made of this machine's busybox without any engine. To be sourced.

sum_of() {
  sha256sum "$1" | cut -d ' ' -f 1
}

# make_layer DIRECTORY: layer.tar and config.json in it, of one layer with busybox and its names.
make_layer() {
  local name
  mkdir -p "$1/tree/bin" "$1/tree/tmp"
  cp "$(command -v busybox)" "$1/tree/bin/busybox"
  for name in sh sleep cat echo date id touch ls; do
    ln -sf busybox "$1/tree/bin/$name"
  done
  tar -C "$1/tree" --owner=0 --group=0 --mtime=@0 --sort=name -cf "$1/layer.tar" .
  printf '{"architecture":"%s","os":"linux","config":{"Cmd":["/bin/sh"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$(sum_of "$1/layer.tar")" >"$1/config.json"
}

# make_docker_archive DIRECTORY FILE: as `docker save` writes it, packed by gzip, with a name that is not to be taken over.
make_docker_archive() {
  local folder=$1/docker
  mkdir -p "$folder/l"
  cp "$1/layer.tar" "$folder/l/layer.tar"
  cp "$1/config.json" "$folder/config.json"
  echo '[{"Config":"config.json","RepoTags":["docker.io/library/stolen:latest"],"Layers":["l/layer.tar"]}]' >"$folder/manifest.json"
  tar -C "$folder" -cf - manifest.json config.json l/layer.tar | gzip -1 >"$2"
}

# add_blob FOLDER FILE: prints "DIGEST SIZE".
add_blob() {
  local sum
  sum=$(sum_of "$2")
  cp "$2" "$1/blobs/sha256/$sum"
  echo "sha256:$sum $(stat -c %s "$2")"
}

# make_oci_archive DIRECTORY FILE: an OCI image layout with a packed layer, as a tar file.
make_oci_archive() {
  local folder=$1/oci config layer
  mkdir -p "$folder/blobs/sha256"
  gzip -1 -n -c "$1/layer.tar" >"$1/layer.tar.gz"
  read -r -a config < <(add_blob "$folder" "$1/config.json")
  read -r -a layer < <(add_blob "$folder" "$1/layer.tar.gz")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"%s","size":%s}]}' \
    "${config[@]}" "${layer[@]}" >"$1/manifest.json"
  read -r -a manifest < <(add_blob "$folder" "$1/manifest.json")
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s}]}' \
    "${manifest[@]}" >"$folder/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$folder/oci-layout"
  tar -C "$folder" -cf "$2" .
}
