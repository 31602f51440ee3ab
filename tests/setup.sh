#!/bin/sh
# setup.sh: install the packages of packages.txt that are missing; silent when nothing is.
# A command of a package's name stands for the package: an npm from elsewhere will do.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

has_package() {
    command -v "$1" >/dev/null || printf '%s\n' "$installed" | grep -qx "$1 installed"
}

command -v dpkg-query >/dev/null || {
    echo "setup: this is no Debian system; install the equivalents of $here/packages.txt by hand" >&2
    exit 1
}
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
missing=
for package in $(sed 's/#.*//' "$here/packages.txt"); do
    has_package "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    command -v sudo >/dev/null || {
        echo "setup: missing packages; as root: apt-get install$missing" >&2
        exit 1
    }
fi
echo "setup: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A list of packages: split on purpose.
# shellcheck disable=SC2086
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Use-Pty=0 install --no-install-recommends $missing
} >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    echo "setup: installing failed" >&2
    exit 1
}
echo "setup: installed"
