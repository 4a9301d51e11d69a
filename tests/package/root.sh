#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# root.sh FOLDER: a Debian 12 with systemd, what cas-backup needs, and SSH; made where it is not there
# yet.
set -eu
[ -d "$1" ] && exit
rm -rf "$1.part"
debootstrap --variant=minbase --include=ca-certificates,dbus,dropbear-bin,iproute2,libcurl4,libjansson4,\
libnss-systemd,libssl3,libyaml-0-2,openssh-client,systemd,systemd-sysv bookworm "$1.part"
rm -f "$1.part"/var/cache/apt/archives/*.deb
mv "$1.part" "$1"
