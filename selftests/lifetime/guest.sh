#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Many clients and the ends of things: of the module, of network namespaces, of
# the daemon. The clients are the load generator's, which checks what arrives.
# broker: none
selftests=$(cd "$(dirname "$0")/.." && pwd)
. "$selftests/lib/ktap.sh"
. "$selftests/lib/broker.sh"
programs=$(dirname "$selftests")/build/selftests/bench
load=$programs/load
dir=$(mktemp -d)
here=127.0.0.1
# Emulated machines, beside others: patience (seconds), and as many times more
# as a kernel that checks everything is given for other waits.
limit=$((120 * ${KMQTT_TEST_LIMIT:-15} / 15))
started=
# Kernels that check everything have less to do.
rounds=${KMQTT_ROUNDS:-20}
few=$((rounds < 5 ? rounds : 5))

if [ -z "$KMQTT_MODULE" ] || [ -z "$KMQTTD" ] || [ -z "$KMQTTCTL" ]; then
	echo "1..0 # SKIP KMQTT_MODULE, KMQTTD and KMQTTCTL name nothing"
	exit 4
fi
if ! make -s -C "$selftests/bench" OUTPUT="$programs" all >"$dir/make" 2>&1; then
	sed 's/^/# /' "$dir/make"
	echo "1..0 # SKIP the load generator cannot be built"
	exit 4
fi

# until_true COMMAND...: within the limit
until_true() {
	tries=$((limit * 2))
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.5
	done
}

# Who is slow to be let in is not turned away: so may be the machine.
listen() {
	"$KMQTTCTL" config set connect_timeout 3600 >/dev/null &&
	"$KMQTTCTL" listener add "$here:$KMQTT_PORT" auth open
}

# load_begin NAME ARG...: in the background
load_begin() {
	name=$1
	shift
	: >"$dir/$name.err"
	"$load" -p "$KMQTT_PORT" -t $limit "$@" >"$dir/$name" \
		2>"$dir/$name.err" &
	last=$!
	started="$started $last"
}

# load_start NAME ARG...: returns when all are connected
load_start() {
	load_begin "$@"
	until_true ready_or_gone && grep -q ready "$dir/$name.err" && return
	echo "the clients of $name could not connect"
	cat "$dir/$name.err"
	return 1
}

ready_or_gone() {
	grep -q ready "$dir/$name.err" || ! kill -0 "$last" 2>/dev/null
}

# load_end NAME PID: its status; says what it has seen
load_end() {
	wait "$2"
	status=$?
	cat "$dir/$1" "$dir/$1.err"
	return $status
}

# count NAME KEY: of what a load generator has reported
count() {
	sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" "$dir/$1"
}

clean_up() {
	# shellcheck disable=SC2086 # a list
	[ -z "$started" ] || kill -KILL $started 2>/dev/null
	started=
	broker_stop
	for ns in kmqtt-a kmqtt-b; do
		ip netns del $ns 2>/dev/null
	done
	module_out
}

# Subscribed, published to, acknowledged and gone; 250 in each process.
thousand_clients() {
	module_in && listen || return
	pids=
	for n in 1 2 3 4; do
		load_begin many$n -o self -S 250 -q $((n % 3)) -n 5 -v 5
		pids="$pids $last"
	done
	n=0
	for pid in $pids; do
		n=$((n + 1))
		load_end many$n "$pid" || return
		[ "$(count many$n deliveries)" = 1250 ] || return
		[ "$(count many$n not_let_go)" = 0 ] || return
	done
	timeout $limit rmmod kmqtt
}

# All of the clients still there, and busy.
unload_under_load() {
	module_in && listen || return
	load_start idle -i 500 -P 0 -S 0 -n 0 -a || return
	idle=$last
	load_start pairs -o pairs -S 100 -w 8 -q 1 -e || return
	pairs=$last
	load_start fan -P 10 -S 100 -w 32 -e || return
	fan=$last
	moves 1000 || return
	timeout $limit rmmod kmqtt || return
	load_end fan "$fan" && load_end pairs "$pairs" || return
	kill -TERM "$idle"
	wait "$idle"
	[ "$(count fan ended)" != 0 ] && [ "$(count pairs ended)" != 0 ]
}

# moves N: waits until the broker has passed on so many messages more
moves() {
	wanted=$(($(passed_on) + $1))
	until_true has_passed_on $wanted && return
	echo "the traffic has stopped"
	return 1
}

has_passed_on() {
	[ "$(passed_on)" -ge "$1" ]
}

passed_on() {
	"$KMQTTCTL" stats show | sed -n 's/^ *publish_sent *//p'
}

reload() {
	for n in $(seq "$rounds"); do
		module_in && listen || return
		load_start "traffic$n" -P 2 -S 5 -w 8 -q $((n % 3)) -v 5 -e ||
			return
		moves 100 || return
		timeout $limit rmmod kmqtt || return
		load_end "traffic$n" "$last" >"$dir/said" || {
			cat "$dir/said"
			return 1
		}
	done
}

# in_ns NAME COMMAND...
in_ns() {
	ns=$1
	shift
	ip netns exec "$ns" "$@"
}

# kept_in ARG...: does this broker have the retained message?
kept_in() {
	"$KMQTTCTL" "$@" -j retained show | grep -q kept
}

subscribed() {
	"$KMQTTCTL" -n kmqtt-b subscription show | grep -q '^same '
}

# The same identifier, the same topic, and every filter in each of them.
namespaces() {
	command -v mosquitto_pub >/dev/null || {
		echo "mosquitto-clients is not installed"
		return 4
	}
	module_in && listen || return
	for ns in kmqtt-a kmqtt-b; do
		ip netns add $ns && ip -n $ns link set lo up &&
		"$KMQTTCTL" -n $ns listener add "$here:$KMQTT_PORT" auth open ||
			return
	done
	ip netns exec kmqtt-b mosquitto_sub -p "$KMQTT_PORT" -i same -t '#' \
		-C 1 -W $limit >"$dir/b" &
	watcher=$!
	started="$started $watcher"
	until_true subscribed || return
	mosquitto_pub -p "$KMQTT_PORT" -i same -t kept -m outside || return
	in_ns kmqtt-a mosquitto_pub -p "$KMQTT_PORT" -i same -t kept -r -m a ||
		return
	# Theirs would have come before.
	in_ns kmqtt-b mosquitto_pub -p "$KMQTT_PORT" -t kept -m b || return
	wait $watcher || return
	cat "$dir/b"
	[ "$(cat "$dir/b")" = b ] || return
	kept_in -n kmqtt-a || return
	if kept_in -n kmqtt-b || kept_in; then
		echo "a retained message is seen in another namespace"
		return 1
	fi
}

# The last process in it goes with its clients; then nothing holds it.
namespace_deleted() {
	module_in || return
	for n in $(seq $few); do
		ip netns add kmqtt-a && ip -n kmqtt-a link set lo up &&
		"$KMQTTCTL" -n kmqtt-a listener add "$here:$KMQTT_PORT" \
			auth open || return
		rm -f "$dir/gone.err"
		ip netns exec kmqtt-a "$load" -p "$KMQTT_PORT" -t $limit -P 3 \
			-S 50 -w 8 -q 1 -e >"$dir/gone" 2>"$dir/gone.err" &
		started="$started $!"
		until_true grep -q ready "$dir/gone.err" || return
		ip netns del kmqtt-a || return
		kill -KILL $!
		wait $!
	done 2>/dev/null
	# It waits until the namespaces have ended.
	timeout $limit rmmod kmqtt
}

# In the middle of traffic, again and again; nobody notices.
daemon_killed() {
	broker_start || return
	load_start qos1 -P 4 -S 20 -w 16 -q 1 -v 5 || return
	qos1=$last
	load_start qos2 -o pairs -S 20 -w 4 -q 2 || return
	qos2=$last
	for n in $(seq $few); do
		moves 500 || return
		broker_kill
		moves 500 || return
		broker_start || return
	done
	kill -TERM "$qos1" "$qos2"
	load_end qos1 "$qos1" && load_end qos2 "$qos2"
}

# counted COMMAND: what the broker and the kernel had counted, if it fails;
# the second number in a line of softnet_stat is of packets dropped on lo
counted() {
	"$1" && return
	status=$?
	[ $status != 4 ] || return $status
	"$KMQTTCTL" stats show
	nstat -a
	cat /proc/net/softnet_stat
	return $status
}

run() {
	ktap_run "$1" counted "$2"
	clean_up >/dev/null 2>&1
}

# A thousand clients that wait for nobody fill the queue of lo, and what does
# not fit is lost: TCP sends it again, after seconds, then minutes. That is not
# what is tested here.
sysctl -q net.core.netdev_max_backlog=100000

trap 'clean_up; rm -rf "$dir"' EXIT
run "a thousand clients come, publish and leave; rmmod" thousand_clients
run "rmmod under full load returns" unload_under_load
run "the module is reloaded again and again with traffic" reload
run "two namespaces do not see each other" namespaces
run "a namespace is deleted with clients connected" namespace_deleted
run "kmqttd is killed and restarted, nothing is lost" daemon_killed
ktap_end
