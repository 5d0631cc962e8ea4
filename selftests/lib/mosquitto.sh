# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Of mosquitto_sub -d, for test programs in shell; to be sourced.

# subscribed PID LOG SECONDS: wait until it has said so, which may be the last that it
# did
subscribed() {
	timeout "$3" sh -c "until grep -q 'Subscribed (mid' '$2'
		do kill -0 $1 2>/dev/null || exec grep 'Subscribed (mid' '$2'
		sleep 0.1; done"
}
