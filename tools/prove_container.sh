#!/bin/sh
# Builds the container image and tries it, on a Debian machine without a container engine.
#
# Needs root, debootstrap and buildah. The base image cannot be fetched without a registry, so it
# is made from Debian's own packages. MOUNTS names files and folders that pip needs while it
# builds and that must not stay in the image, such as "/etc/pip.conf"; BASE a root that was made
# before; DATA a folder with the full dataset, to train with; WORK where all of it lies (20 GB,
# removed at the end; KEEP=1 keeps it, and another call then tries the image that is there).
set -eu
cd "$(dirname "$0")/.."

WORK=${WORK:-/tmp/cifar-lab-container}
PORT=${PORT:-8501}
BASE=${BASE:-$WORK/base}
BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm
export BUILDAH_ISOLATION=chroot
server=

buildah_() { buildah --root "$WORK/store" --runroot "$WORK/run" "$@"; }
ok() { echo "ok: $1"; }
fail() { echo "NOT: $1" >&2; exit 1; }
clean() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ "${KEEP:-}" = 1 ] || { buildah_ rm --all >/dev/null 2>&1 || true; rm -rf "$WORK"; }
}
trap clean EXIT
mkdir -p "$WORK/context" "$WORK/volumes/data" "$WORK/volumes/runs" "$WORK/volumes/feedback"

build() {
    echo "The base, from Debian's packages"
    [ -d "$BASE" ] || debootstrap --variant=minbase \
        --include=python3,python3-venv,ca-certificates bookworm "$BASE" http://deb.debian.org/debian
    scratch=$(buildah_ from scratch)
    buildah_ copy -q "$scratch" "$BASE" / >/dev/null
    buildah_ commit -q --rm "$scratch" "$BASE_IMAGE" >/dev/null

    echo "The image, from the Dockerfile"
    git ls-files -co --exclude-standard | tar -cf - -T - | tar -xf - -C "$WORK/context"
    mounts=
    for path in ${MOUNTS:-}; do mounts="$mounts --volume $path:$path:ro"; done
    # shellcheck disable=SC2086
    buildah_ bud -q --pull-never --format docker $mounts -t cifar-lab:cpu "$WORK/context" >/dev/null
    ok "it builds"
}
buildah_ inspect --type image cifar-lab:cpu >/dev/null 2>&1 || build

chown -R 10001:10001 "$WORK/volumes"
lab=$(buildah_ from --pull-never cifar-lab:cpu)
for volume in data runs feedback; do # a folder of buildah's own would lie over what is mounted
    buildah_ config --volume "/var/lab/$volume-" "$lab"
done
inside() {
    buildah_ run --env "STREAMLIT_SERVER_PORT=$PORT" \
        --volume "$WORK/volumes/data:/var/lab/data" --volume "$WORK/volumes/runs:/var/lab/runs" \
        --volume "$WORK/volumes/feedback:/var/lab/feedback" \
        "$lab" -- "$@"
}
[ "$(inside id -u)" = 10001 ] || fail "it runs as root"
ok "it does not run as root"
inside sh -c '! touch /srv/lab/app.py && ! touch /opt/lab/x && touch /var/lab/runs/x' 2>/dev/null ||
    fail "it may write where it should not, or not where it should"
ok "it writes into its volumes and nowhere else of its own"
inside sh -c '[ ! -e .git ] && [ ! -e tests ] && [ ! -e .streamlit/secrets.toml ] && [ ! -e data ]' ||
    fail "the image holds what it should not"
for path in ${MOUNTS:-}; do
    inside sh -c "[ ! -s $path ] || [ -z \"\$(ls -A $path)\" ]" || fail "$path stayed in it"
done
ok "no history, tests, secrets, data or settings of this machine in it"

inside python -m cifar_core.container streamlit run app.py >"$WORK/server.log" 2>&1 &
server=$!
health=$(buildah_ inspect --type image cifar-lab:cpu | python3 -c 'import json, sys
print(json.load(sys.stdin)["Docker"]["config"]["Healthcheck"]["Test"][-1])')
tries=0
until inside python -c "$health" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || { cat "$WORK/server.log"; fail "its health check does not pass"; }
    sleep 1
done
ok "its own health check passes"
python3 - "$PORT" <<'PYTHON' || fail "it answers not as the lab does"
import sys, urllib.request
with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/") as answer:
    assert answer.status == 200 and answer.headers["content-security-policy"]
    assert b"<title>" in answer.read()
PYTHON
ok "its first page comes, with the security headers"

inside python -c 'from PIL import Image; from cifar_core.dataset.sample import load_sample
Image.fromarray(load_sample().test.images[0]).save("/tmp/picture.png")'
inside python -m cifar_core classify /tmp/picture.png --model cnn4
ok "a shipped model classifies in it"
if [ -n "${DATA:-}" ]; then
    cp -r "$DATA/." "$WORK/volumes/data/" && chown -R 10001:10001 "$WORK/volumes/data"
    inside python -m cifar_core train --network cnn4 --epochs 1 --training-pictures 500 --json >"$WORK/train.json"
    [ -n "$(find "$WORK/volumes/runs" -name model.tflite)" ] || fail "its run is not in the volume"
    ok "a network trains in it, and its run lies in the volume"
fi
