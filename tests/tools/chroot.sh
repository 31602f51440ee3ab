#!/bin/sh
# chroot.sh: prove the README's two commands on a fresh Debian 12. Makes a bookworm chroot with debootstrap, clones the
# committed state of this checkout into it and runs both commands there as they stand. Needs root; not part of run.sh.
#   sh tests/tools/chroot.sh [FOLDER]   FOLDER: where the chroot is made (default: a temporary one, removed at the end)
#   MIRROR         Debian mirror (default: debootstrap's)
#   TERNC_SHARED   folder with models/ and data/, copied in beside the clone if it is there
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
shared=${TERNC_SHARED:-$root/../shared}

[ "$(id -u)" -eq 0 ] || {
    echo "chroot.sh needs root" >&2
    exit 2
}
command -v debootstrap >/dev/null || apt-get -qy install --no-install-recommends debootstrap

if [ $# -gt 0 ]; then
    chroot=$1
    mkdir -p "$chroot"
else
    chroot=$(mktemp -d)
fi

unmount() {
    for place in proc dev/pts dev; do
        ! mountpoint -q "$chroot/$place" || umount "$chroot/$place"
    done
}

finish() {
    rc=$?
    unmount
    [ $# -gt 0 ] || rm -rf --one-file-system "$chroot" "$chroot.log"
    exit "$rc"
}
trap 'finish "$@"' EXIT
trap 'exit 1' INT TERM HUP

# The chroot's own view of the network is this machine's.
copy_settings() {
    for file in /etc/resolv.conf /etc/hosts /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf; do
        [ ! -e "$file" ] || cp "$file" "$chroot$file"
    done
    [ ! -e "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$chroot/srv/.npmrc"
    [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || cp "$NODE_EXTRA_CA_CERTS" "$chroot/srv/certificates.pem"
}

enter() {
    chroot "$chroot" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/srv LANG=C.UTF-8 \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/srv/certificates.pem} "$@"
}

# timed TITLE COMMAND...
timed() {
    title=$1
    shift
    begin=$(date +%s)
    "$@" && rc=0 || rc=$?
    echo "==== $title: exit code $rc after $(($(date +%s) - begin)) s"
    return "$rc"
}

[ -e "$chroot/etc/debian_version" ] ||
    timed "debootstrap" debootstrap --variant=minbase bookworm "$chroot" ${MIRROR:+"$MIRROR"} >"$chroot.log" 2>&1 || {
    tail "$chroot.log" >&2
    exit 1
}
copy_settings
mount -t proc proc "$chroot/proc"
mount --bind /dev "$chroot/dev"
mount --bind /dev/pts "$chroot/dev/pts"

rm -rf "$chroot/srv/project" "$chroot/srv/shared"
git clone -q --no-hardlinks "$root" "$chroot/srv/project"
[ ! -d "$shared" ] || cp -rL "$shared" "$chroot/srv/shared"

timed "sh examples/demo.sh" enter sh -c 'cd /srv/project && exec sh examples/demo.sh'
timed "sh tests/run.sh" enter sh -c 'cd /srv/project && exec sh tests/run.sh'
