#!/bin/sh
# deb.sh: a new user's path. Makes the Debian package, installs it into a fresh bookworm chroot, copies the CMake example
# there, builds and runs it. Needs root, debootstrap and dpkg-dev; not part of run.sh.
#   sh tests/tools/deb.sh [FOLDER]   FOLDER: where the chroot is made (default: a temporary one, removed at the end)
#   MIRROR   Debian mirror (default: debootstrap's)
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
[ "$(id -u)" -eq 0 ] || {
    echo "deb.sh needs root" >&2
    exit 2
}
sh tests/setup.sh
mkdir -p build
for tool in debootstrap dpkg-shlibdeps; do
    command -v "$tool" >/dev/null ||
        apt-get -qy install --no-install-recommends debootstrap dpkg-dev >build/deb-tools.log 2>&1
done

if [ $# -gt 0 ]; then
    chroot=$1
    mkdir -p "$chroot"
else
    chroot=$(mktemp -d)
fi

finish() {
    rc=$?
    ! mountpoint -q "$chroot/proc" || umount "$chroot/proc"
    [ $# -gt 0 ] || rm -rf --one-file-system "$chroot"
    exit "$rc"
}
trap 'finish "$@"' EXIT
trap 'exit 1' INT TERM HUP

enter() {
    chroot "$chroot" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

# quietly TITLE COMMAND...: its output only when it fails.
quietly() {
    echo "==== $1"
    shift
    "$@" >build/deb.log 2>&1 || {
        tail -n 30 build/deb.log >&2
        exit 1
    }
}

quietly "build" cmake -S . -B build/deb -G Ninja -DCMAKE_BUILD_TYPE=Release
quietly "build" ninja -C build/deb ternc texts
rm -f build/deb/ternc_*.deb
quietly "package" sh -c 'cd build/deb && cpack -G DEB'
package=$(ls build/deb/ternc_*.deb)
dpkg-deb --info "$package" | grep -E '^ (Package|Version|Depends|Recommends|Installed-Size)'

[ -e "$chroot/etc/debian_version" ] ||
    quietly "debootstrap" debootstrap --variant=minbase bookworm "$chroot" ${MIRROR:+"$MIRROR"}
for file in /etc/resolv.conf /etc/hosts /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf; do
    [ ! -e "$file" ] || cp "$file" "$chroot$file"
done
mount -t proc proc "$chroot/proc"
cp "$package" "$chroot/tmp/ternc.deb"
quietly "apt update" enter apt-get -q update
quietly "install the package" enter apt-get -qy install --no-install-recommends /tmp/ternc.deb
enter ternc --version
[ -s "$chroot/usr/share/man/man1/ternc.1" ] && [ -s "$chroot/usr/share/bash-completion/completions/ternc" ]
quietly "install compilers" enter apt-get -qy install --no-install-recommends cmake make gcc g++ libc6-dev
echo "==== the CMake example"
enter sh -ec 'cd /root
    cp -r /usr/share/doc/ternc/examples .
    cmake -S examples/application -B build >log
    cmake --build build >>log
    build/classify
    build/two_models
    build/threads
    make -C examples/application >>log
    examples/application/classify | tail -n 1'
echo "the package works"
