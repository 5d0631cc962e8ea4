# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# KTAP for test programs in shell; to be sourced.
#
#	ktap_run NAME COMMAND...	one test: passed if the command returns 0,
#					skipped if it returns 4
#	ktap_skip NAME REASON		a test that cannot run here
#	ktap_end			the plan; returns the program's status
#
# What a test prints becomes diagnostic lines. T in the environment chooses
# tests by a part of the name or a shell pattern.

ktap_nr=0
ktap_failed=0
ktap_skipped=0
echo "KTAP version 1"

ktap_wanted() {
	# shellcheck disable=SC2254 # a pattern is meant
	case $1 in
	*"${T:-}"*|${T:-*}) return 0 ;;
	esac
	return 1
}

ktap_run() {
	ktap_name=$1
	shift
	ktap_wanted "$ktap_name" || return 0
	ktap_nr=$((ktap_nr + 1))
	ktap_out=$(mktemp)
	"$@" >"$ktap_out" 2>&1
	ktap_status=$?
	sed 's/^/# /' "$ktap_out"
	case $ktap_status in
	0)	echo "ok $ktap_nr $ktap_name" ;;
	4)	ktap_skipped=$((ktap_skipped + 1))
		echo "ok $ktap_nr $ktap_name # SKIP $(tail -n 1 "$ktap_out")" ;;
	*)	ktap_failed=$((ktap_failed + 1))
		echo "not ok $ktap_nr $ktap_name" ;;
	esac
	rm -f "$ktap_out"
}

ktap_skip() {
	ktap_wanted "$1" || return 0
	ktap_nr=$((ktap_nr + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_nr $1 # SKIP $2"
}

ktap_end() {
	if [ $ktap_nr = 0 ]; then
		echo "1..0 # SKIP no such test"
		return 4
	fi
	echo "1..$ktap_nr"
	[ $ktap_failed = 0 ] || return 1
	[ $ktap_skipped = $ktap_nr ] && return 4
	return 0
}
