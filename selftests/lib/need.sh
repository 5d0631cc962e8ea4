#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# need.sh REASON PACKAGE... - sees to it that Debian's packages are there: says
# which are missing, and installs them (through sudo when not root). What is
# there in another way (the program or the library is found) is not asked for.
# Without apt-get it names what is missing and fails.

reason=$1
shift

# There, whatever it was installed from?
# shellcheck disable=SC2016 # evaluated below
there() {
	case $1 in
	busybox-static)	probe='command -v busybox && ! ldd "$(command -v busybox)"' ;;
	make|gcc|python3|sparse|npm)
			probe="command -v $1" ;;
	libc6-dev)	probe='echo "#include <stdio.h>" | gcc -E -' ;;
	kmod)		probe='PATH=$PATH:/sbin:/usr/sbin command -v modprobe' ;;
	nodejs)		probe='command -v node' ;;
	iproute2)	probe='PATH=$PATH:/sbin:/usr/sbin command -v ip' ;;
	pkg-config)	probe='command -v pkg-config' ;;
	qemu-system-x86) probe='command -v qemu-system-x86_64' ;;
	mosquitto-clients) probe='command -v mosquitto_pub' ;;
	python3-paho-mqtt) probe='python3 -c "import paho.mqtt.client"' ;;
	libnl-3-dev)	probe='pkg-config --exists libnl-3.0' ;;
	libnl-genl-3-dev) probe='pkg-config --exists libnl-genl-3.0' ;;
	libssl-dev)	probe='pkg-config --exists libcrypto' ;;
	libcjson-dev)	probe='pkg-config --exists libcjson' ;;
	linux-headers-[0-9]*)
			probe="[ -e /lib/modules/${1#linux-headers-}/build ]" ;;
	*)		probe=false ;;
	esac
	eval "$probe" >/dev/null 2>&1 && return
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
		grep -qx installed
}

missing() {
	for package; do
		there "$package" || printf ' %s' "$package"
	done
}

missing=$(missing "$@")
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null; then
	echo "missing for $reason:$missing (names of Debian's packages)" >&2
	echo "There is no apt-get here: install them with this system's own tool, then again." >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "missing for $reason:$missing; you are not root and there is no sudo." >&2
		echo "As root: apt-get install$missing" >&2
		exit 1
	fi
	sudo=sudo
fi

# Parts of a parallel make come here at the same time: one after the other.
exec 9<"$0"
flock 9
missing=$(missing "$@")
[ -z "$missing" ] && exit 0
echo "Installing for $reason:$missing (${sudo:+$sudo }apt-get install)"
if [ -n "$sudo" ] && ! sudo env true 9<&-; then
	echo "not installed, because sudo does not let you. As root: apt-get install$missing" >&2
	exit 1
fi
# shellcheck disable=SC2086 # a list of words
install() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends $missing \
		>/dev/null 9<&-
}
# The lists may be old, or not there at all.
install 2>/dev/null && exit
$sudo apt-get -qq update 9<&-
install 2>&1 | grep '^E:' >&2
failed=$(missing "$@")
[ -z "$failed" ] || {
	echo "apt-get could not install:$failed" >&2
	exit 1
}
