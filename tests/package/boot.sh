#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# boot.sh LOWER UPPER FOLDER...: in namespaces of its own, boots systemd in the root file system LOWER,
# whose changes go to UPPER; the folders are there too, at the same place.
set -eu
lower=$1 upper=$2
shift 2
root=$upper/root
mount --make-rprivate /
mount -t tmpfs tmpfs "$upper" # an overlay cannot be the upper side of another
mkdir "$upper/changes" "$upper/work" "$root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper/changes,workdir=$upper/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
fi
for folder; do
    mkdir -p "$root$folder"
    mount --bind "$folder" "$root$folder"
done
cd "$root"
pivot_root . mnt
umount -l /mnt
mount --make-rshared / # as systemd finds it: it hands a unit its credentials that way
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
