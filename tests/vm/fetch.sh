#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fetch.sh ARCH: what a guest of that architecture is made of, from Debian's packages into
# build/vm/ARCH: vmlinuz, root/ (busybox and the libraries of the programs), and sysroot.ini, with
# which meson finds those libraries. Nothing is installed: apt has a state of its own here, in
# which the system is of that architecture and empty. Exit status 77: there is no network.

set -euo pipefail
dir=build/vm/$1
case $1 in
x86_64) deb=amd64 libs=x86_64-linux-gnu ;;
aarch64) deb=arm64 libs=aarch64-linux-gnu ;;
*) echo "no guest '$1': x86_64 aarch64" >&2 && exit 2 ;;
esac
[ ! -e "$dir/complete" ] || exit 0
rm -rf "$dir"
mkdir -p "$dir"/{root,apt/sources.list.d,apt/lists/partial,apt/archives/partial}
dir=$PWD/$dir
trap 'rm -rf "$dir/apt"' EXIT

# Only Debian's sources: others may not know this architecture.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
	[ ! -e $file ] || cp $file "$dir/apt/${file#/etc/apt/}"
done
private=(-qq -o APT::Architecture="$deb" -o APT::Architectures="$deb" -o APT::Sandbox::User=root
	-o Dir::State::status=/dev/null -o Dir::State::lists="$dir/apt/lists"
	-o Dir::Cache="$dir/apt" -o Dir::Etc::sourcelist="$dir/apt/sources.list"
	-o Dir::Etc::sourceparts="$dir/apt/sources.list.d")
timeout 300 apt-get "${private[@]}" -o APT::Update::Error-Mode=any update || exit 77

# The kernel for clouds: the same sources with fewer drivers, so it starts in half the time.
kernel=$(apt-cache "${private[@]}" depends linux-image-cloud-$deb |
	sed -n 's/.*Depends: \(linux-image-6[^ ]*\).*/\1/p')
cd "$dir/apt"
timeout 300 apt-get "${private[@]}" download "$kernel" busybox-static libc6 \
	libjson-c5 libjson-c-dev libsmartcols1 libsmartcols-dev
for file in linux-image-*.deb; do
	dpkg-deb --fsys-tarfile "$file" | tar -x --strip-components=2 --wildcards './boot/vmlinuz-*'
done
mv vmlinuz-* ../vmlinuz
for file in busybox*.deb lib*.deb; do
	dpkg-deb -x "$file" ../root
done
cat >../sysroot.ini <<END
[binaries]
pkgconfig = 'pkg-config'
[properties]
sys_root = '$dir/root'
pkg_config_libdir = '$dir/root/usr/lib/$libs/pkgconfig'
END
touch ../complete
