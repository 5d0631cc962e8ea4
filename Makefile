# SPDX-License-Identifier: GPL-2.0
#
# kmqtt: the module, the daemon, the command line; see make help.

VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
PREFIX ?= /usr
PORT ?= 1883
ARGS ?= client show

# The running kernel if its headers are here, else the newest that has some.
# Expanded at each use: headers may just have been installed.
KVER ?= $(shell k=$$(uname -r); [ -e /lib/modules/$$k/build ] || \
	k=$$(ls -d /lib/modules/*/build 2>/dev/null | sort -V | tail -n 1 | \
	cut -d/ -f4); echo $$k)
KDIR ?= /lib/modules/$(KVER)/build
OUT = $(CURDIR)/build/$(KVER)
MODULE = $(OUT)/kmqtt.ko
NEED := selftests/lib/need.sh

PACKAGES_MODULE := make gcc libc6-dev kmod
PACKAGES_USER := make gcc libc6-dev pkg-config libnl-3-dev libnl-genl-3-dev \
	libssl-dev libcjson-dev
PACKAGES_GUEST := qemu-system-x86 busybox-static python3 kmod
PACKAGES_RUN := $(sort $(PACKAGES_GUEST) $(PACKAGES_MODULE) $(PACKAGES_USER) \
	mosquitto-clients)
PACKAGES_TEST := mosquitto-clients libpaho-mqtt-dev python3-paho-mqtt \
	nodejs node-mqtt iproute2

all: module user

help:
	@echo 'Build:'
	@echo '  all (default)  the module, the daemon and the command line'
	@echo '  module         kmqtt.ko, in build/$$KVER and here'
	@echo '  user           kmqttd and kmqttctl, in user/build'
	@echo '  check          compilers, sparse, checkpatch, coccinelle and others over the'
	@echo '                 source; T=pattern: a part (selftests/static)'
	@echo '  clean          remove what was built'
	@echo 'Try:'
	@echo '  run            a broker in a QEMU guest, at 127.0.0.1 port PORT'
	@echo '  run NATIVE=1   the same with the running kernel (loads the module)'
	@echo '  shell          a root shell in the guest of make run'
	@echo '  ctl            kmqttctl in that guest: make ctl ARGS="client show"'
	@echo '  test           all tests; T=pattern runs a part'
	@echo '  test-debug     the part of them that runs in a guest whose kernel checks'
	@echo '                 memory, locks and leaks (built when first wanted)'
	@echo '  coverage       which lines of kmod/ the tests execute'
	@echo '  test-kernels   those on other kernels, machines and compilers (ALL=1: on'
	@echo '                 all of selftests/kernels/list)'
	@echo '  soak           random clients under faults, their history checked: SECONDS='
	@echo '  fuzz           the fuzzers of the codec, the tree, the daemon: SECONDS= for each'
	@echo '  fuzz-guest     sessions and netlink requests, changed, each for SECONDS='
	@echo '                 (DEBUG=1: on the kernel of test-debug)'
	@echo '  bench          what a message costs, beside mosquitto; B=pattern: a part,'
	@echo '                 ALL=1: what takes long, LATENCY=1: a table of latencies'
	@echo '  bench-wall     the same in wall time on two processors, as ratios'
	@echo '  bench-plot     a picture of latencies and of cost against size (PNG=)'
	@echo 'Install:'
	@echo '  install        module, programs, manual, systemd unit (DESTDIR, PREFIX)'
	@echo '  uninstall      remove what install or dkms-install has put there'
	@echo '  dkms-install   register with DKMS, which builds it for every kernel'
	@echo 'Variables:'
	@echo '  KVER=6.1.0-1-amd64  the kernel to build for and to boot (now: $(or $(KVER),none here))'
	@echo '  PORT=1883           where make run serves'
	@echo '  T=pattern           folder, folder/program, or part of a test name'

# What the module is built with; the headers of the wanted kernel included.
headers:
	@case "$(KVER)" in [0-5].*|6.0.*) \
		echo "kernel $(KVER) is too old: kmqtt needs 6.1 or newer" >&2; \
		exit 1 ;; \
	esac
	@$(NEED) "building the module" $(PACKAGES_MODULE) \
		$(if $(wildcard $(KDIR)/Makefile),,$(if $(KVER),linux-headers-$(KVER),$(or $(running_headers),$(generic_headers)))) || { \
		echo "KVER= picks another kernel; headers here: $(or $(patsubst /lib/modules/%/build,%,$(wildcard /lib/modules/*/build)),none)" >&2; \
		exit 1; }

running_headers = $(shell apt-cache show linux-headers-$$(uname -r) 2>/dev/null | \
	sed -n '1s/^Package: //p')
generic_headers = linux-headers-$(shell dpkg --print-architecture 2>/dev/null || uname -m)

# kbuild puts its objects beside the sources. Each kernel gets a tree of links
# to them, so that the builds of several kernels do not meet.
module: headers
	@$(MAKE) --no-print-directory build-module

build-module:
	@if [ ! -e "$(KDIR)/Makefile" ]; then \
		echo "no headers of kernel '$(KVER)' (looked for $(KDIR)); KVER= names another" >&2; \
		exit 1; \
	fi
	@mkdir -p $(OUT) && cp -asf $(CURDIR)/Kbuild $(CURDIR)/kmod $(OUT)/
	@find $(OUT) -type l ! -name '*.[ch]' ! -name Kbuild -delete
	@find $(OUT) -xtype l -delete
	+@flock $(OUT) $(MAKE) -C $(KDIR) M=$(OUT) $(KBUILD_ARGS) modules
	@ln -sfn build/$(KVER)/kmqtt.ko kmqtt.ko

check: headers
	@$(MAKE) --no-print-directory -C selftests/static run_tests \
		OUTPUT=$(CURDIR)/build/selftests/static

user:
	@$(NEED) "building the daemon" $(PACKAGES_USER)
	@mkdir -p build
	+@flock build $(MAKE) --no-print-directory -C user all VERSION=$(VERSION) \
		PREFIX=$(PREFIX)

# The kernel a guest boots is the one the module is built for.
guest-packages:
	@$(NEED) "the guest" $(PACKAGES_GUEST)

guest_kernel = selftests/guest/kernel $(if $(filter command line environment,$(origin KVER)),$(KVER))

run: $(if $(NATIVE),run-native,run-guest)

run-guest:
	@$(NEED) "make run" $(PACKAGES_RUN)
	@selftests/guest/serve --check --port $(PORT)
	@kver=$$($(guest_kernel)) && \
	echo "Building for $$kver" && \
	$(MAKE) --no-print-directory -s -j$$(nproc) module user KVER=$$kver && \
	exec selftests/guest/serve --port $(PORT) --kernel $$kver \
		--module build/$$kver/kmqtt.ko --kmqttd user/build/kmqttd \
		--conf user/kmqttd.conf.example

run-native:
	@$(NEED) "make run NATIVE=1" python3 kmod
	@selftests/guest/serve --check --native --port $(PORT)
	@$(MAKE) --no-print-directory -s -j$$(nproc) module user KVER=$$(uname -r)
	@exec selftests/guest/serve --native --port $(PORT) \
		--module build/$$(uname -r)/kmqtt.ko \
		--kmqttd user/build/kmqttd --conf user/kmqttd.conf.example

shell:
	@exec selftests/guest/console $(PORT)

ctl:
	@exec selftests/guest/console $(PORT) '$(CURDIR)/user/build/kmqttctl $(subst ','\'',$(ARGS))'

# With T= only in the usual guest: test-debug has the other.
test: guest-packages
	@$(NEED) "the tests" $(PACKAGES_TEST)
	@kver=$$($(guest_kernel)) && \
	echo "Building for $$kver" && \
	$(MAKE) --no-print-directory -s -j$$(nproc) module user KVER=$$kver && \
	$(if $(T),,$(debug_module) &&) \
	exec selftests/run-tests --kernel $$kver \
		--module build/$$kver/kmqtt.ko $(if $(T),,$(debug_args)) "$(T)"

# The guest's tests with a kernel that checks memory, locks, RCU and leaks. Its
# module is built beside the others, counts what is executed (gcov) and handles
# all that it can where it arrives (express_after); kmqtt.ko stays what it was.
debug_module = $(NEED) "building the module" $(PACKAGES_MODULE) && \
	debug=$$(selftests/guest/debug-kernel) && \
	module=$$(readlink kmqtt.ko || :) && \
	$(MAKE) --no-print-directory -s -j$$(nproc) build-module user \
		KVER=debug KDIR=$$debug/build \
		KBUILD_ARGS="KCFLAGS=\"-g -DKMQTT_EXPRESS_AFTER=1\" GCOV_PROFILE=y" && \
	ln -sfn $${module:-build/debug/kmqtt.ko} kmqtt.ko
debug_args = --debug-kernel $$debug/bzImage --debug-module build/debug/kmqtt.ko

test-debug: guest-packages
	@$(NEED) "the tests" $(PACKAGES_TEST)
	@$(debug_module) && \
	exec selftests/run-tests --only debug $(debug_args) "$(T)"

# What test or test-debug has executed, the unit tests' part added.
coverage: $(if $(wildcard build/debug/kmod/*.gcda),,test-debug)
	@$(MAKE) --no-print-directory -s -C selftests/coverage report \
		GUEST=$(CURDIR)/build/debug \
		OUTPUT=$(CURDIR)/build/selftests/coverage

# Debian's other kernels, fetched when first wanted; nothing is installed of it.
test-kernels:
	@exec selftests/run-tests --only host "kernels/$(T)"

# Random clients and faults for so long, and what they saw checked.
SECONDS ?= 3600

soak: guest-packages
	@$(NEED) "the tests" $(PACKAGES_TEST)
	@kver=$$($(guest_kernel)) && \
	$(MAKE) --no-print-directory -s -j$$(nproc) module user KVER=$$kver && \
	KMQTT_HISTORY_SECONDS=$(SECONDS) \
	KMQTT_TEST_SECONDS=$$(($(SECONDS) + 600)) \
	exec selftests/run-tests --kernel $$kver \
		--module build/$$kver/kmqtt.ko history/guest.py

# Each fuzzer for so long; what it finds is tried by make test from then on, as
# long as build/ is kept.
fuzz:
	@$(NEED) "building the daemon" $(PACKAGES_USER)
	@$(MAKE) --no-print-directory -s -C selftests/fuzz run_tests \
		OUTPUT=$(CURDIR)/build/selftests/fuzz SECONDS=$(SECONDS) T='$(T)'

# The fuzzers of the module, each for so long; DEBUG=1: on the kernel that
# checks everything.
fuzz-guest:
	@KMQTT_FUZZ_SECONDS=$(SECONDS) \
	KMQTT_TEST_SECONDS=$$(($(SECONDS) + 600)) \
	$(MAKE) --no-print-directory $(if $(DEBUG),test-debug,test) T=guestfuzz

# bench-wall: wall time on two processors, ratios only; bench-plot: a picture.
bench bench-wall bench-plot: guest-packages
	@kver=$$($(guest_kernel)) && \
	echo "Building for $$kver" && \
	$(MAKE) --no-print-directory -s -j$$(nproc) module user KVER=$$kver && \
	$(MAKE) --no-print-directory -s -C selftests/bench $@ \
		MODULE=$(CURDIR)/build/$$kver/kmqtt.ko KERNEL=$$kver \
		OUTPUT=$(CURDIR)/build/selftests/bench

# Said before anything is built or changed.
root-only:
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" = 0 ] || { \
		echo "make $(MAKECMDGOALS) changes this system: be root (sudo)" >&2; \
		exit 1; }

install: root-only all
	install -D -m 644 $(MODULE) \
		$(DESTDIR)/lib/modules/$(KVER)/updates/kmqtt.ko
	$(if $(DESTDIR),,PATH=$$PATH:/sbin:/usr/sbin depmod $(KVER))
	@$(MAKE) --no-print-directory -C user install VERSION=$(VERSION) \
		PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

DKMS_SOURCE := /usr/src/kmqtt-$(VERSION)

uninstall: root-only
	$(if $(DESTDIR),,@if dkms status kmqtt/$(VERSION) 2>/dev/null | grep -q .; then \
		dkms remove kmqtt/$(VERSION) --all && rm -rf $(DKMS_SOURCE); \
	fi)
	rm -f $(DESTDIR)/lib/modules/$(KVER)/updates/kmqtt.ko
	$(if $(DESTDIR),,PATH=$$PATH:/sbin:/usr/sbin depmod $(KVER))
	@$(MAKE) --no-print-directory -C user uninstall PREFIX=$(PREFIX) \
		DESTDIR=$(DESTDIR)

# Of two modules of one name modprobe would take either.
dkms-install: root-only headers
	@$(NEED) "make dkms-install" dkms
	! dkms status kmqtt/$(VERSION) | grep -q . || \
		dkms remove kmqtt/$(VERSION) --all
	install -d $(DKMS_SOURCE)
	cp -rT kmod $(DKMS_SOURCE)/kmod
	cp Kbuild dkms.conf COPYING $(DKMS_SOURCE)/
	rm -f /lib/modules/$(KVER)/updates/kmqtt.ko
	dkms add kmqtt/$(VERSION)
	dkms install kmqtt/$(VERSION) -k $(KVER)

clean:
	rm -rf build kmqtt.ko
	@$(MAKE) --no-print-directory -C user clean
	@$(MAKE) --no-print-directory -C selftests clean

.PHONY: all help headers module build-module check user guest-packages run \
	run-guest run-native shell ctl test test-kernels soak fuzz fuzz-guest bench \
	bench-wall bench-plot test-debug coverage root-only install uninstall \
	dkms-install clean
