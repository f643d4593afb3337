#!/bin/busybox sh
# SPDX-License-Identifier: MIT
#
# PID 1 of the guest. Runs every line of /tests and prints, to the serial line of RAMET_OUT (given
# on the kernel's command line), '=== begin LINE', what it prints, and '=== end STATUS'.

# Nobody can pivot_root out of the root that a kernel begins with, nor does a system run in it.
if [ ! -e /guest ]; then
	/bin/busybox mkdir /guest
	/bin/busybox mount --bind / /guest
	cd /guest || exit
	/bin/busybox mount --move . /
	exec /bin/busybox chroot . /bin/busybox sh /init
fi
/bin/busybox mkdir -p /proc /sys /dev /tmp /mnt /usr/bin /usr/sbin /sbin /etc
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t cgroup2 cgroup /sys/fs/cgroup
printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false >/etc/passwd
printf '%s\n' root:x:0: nogroup:x:65534: >/etc/group
ip link set lo up
hostname guest
export HOME=/root PATH=/tests.d:/usr/sbin:/usr/bin:/sbin:/bin

exec </dev/null >"/dev/$RAMET_OUT"
stty raw -echo <"/dev/$RAMET_OUT"
cd /tmp || exit
while read -r line <&3; do
	echo "=== begin $line"
	read -r from _ </proc/uptime
	# shellcheck disable=SC2086 # a command and its words
	timeout -s KILL 240 $line 3<&-
	status=$?
	read -r to _ </proc/uptime
	echo "=== end $status $((${to%.*} - ${from%.*}))"
	kill -KILL -1 # whatever it left behind; PID 1 is spared
done 3</tests
poweroff -f
