# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Starts and stops the broker in the guest; to be sourced. Needs KMQTT_MODULE
# (kmqtt.ko), KMQTTD and KMQTTCTL (the programs), which the harness sets.
#
#	module_in [NAME=VALUE...]	insmod, if it is not in
#	module_out			rmmod, if it is in
#	broker_start [FILE [ARG...]]	module_in, kmqttd with this configuration
#					(default: open on all addresses), waits
#					until it answers on KMQTT_PORT (1883)
#	broker_stop			SIGTERM, waits; its exit status
#	broker_kill			SIGKILL, waits: the kernel's part stays
#	broker_running			is it?
#
# broker_pid and broker_log (a file) are for the caller to look at.

: "${KMQTT_PORT:=1883}" "${KMQTT_HOST:=127.0.0.1}"
broker_lib=${KMQTT_SELFTESTS:-$(cd "$(dirname "$0")/.." && pwd)}/lib
broker_dir=${TMPDIR:-/tmp}/kmqtt-broker.$$
broker_log=$broker_dir/log
broker_pid=

module_in() {
	[ -d /sys/module/kmqtt ] && return
	insmod "$KMQTT_MODULE" "$@"
}

module_out() {
	[ -d /sys/module/kmqtt ] || return 0
	rmmod kmqtt
}

broker_running() {
	[ -n "$broker_pid" ] || return
	# A process that has ended has a number until it is waited for.
	case $(sed 's/.*) //' "/proc/$broker_pid/stat" 2>/dev/null) in
	Z*|"") return 1 ;;
	esac
}

broker_start() {
	mkdir -p "$broker_dir" || return
	broker_conf=${1:-}
	[ $# = 0 ] || shift
	if [ -z "$broker_conf" ]; then
		broker_conf=$broker_dir/conf
		printf 'listener %s\nallow_anonymous true\n' "$KMQTT_PORT" \
			>"$broker_conf"
	fi
	module_in || return
	"$KMQTTD" -c "$broker_conf" "$@" >>"$broker_log" 2>&1 &
	broker_pid=$!
	if ! "$broker_lib/answers.py" "$KMQTT_HOST" "$KMQTT_PORT"; then
		sed 's/^/# kmqttd: /' "$broker_log"
		broker_stop
		return 1
	fi
}

broker_stop() {
	[ -n "$broker_pid" ] || return 0
	kill -TERM "$broker_pid" 2>/dev/null
	wait "$broker_pid"
	broker_status=$?
	broker_pid=
	return $broker_status
}

broker_kill() {
	[ -n "$broker_pid" ] || return 0
	kill -KILL "$broker_pid" 2>/dev/null
	wait "$broker_pid" 2>/dev/null
	broker_pid=
}
