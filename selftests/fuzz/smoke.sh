#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run each fuzzer for some seconds, JOBS of them at a time; one test each.
#
# usage: smoke.sh SECONDS DIR TARGET...	(T, JOBS, MAKE, FUZZ_CC: environment)
#        smoke.sh --one SECONDS DIR TARGET	run it, and keep what it says
#        smoke.sh --flags TARGET		libFuzzer's options for it

# The time limit of one input is for a machine that has other things to do.
flags() {
	case $1 in
	encode|config) length=400 ;;
	netlink|ctl) length=1500 ;;
	passwd|acl) length=2000 ;;
	*)	length=600 ;;	# longer packets have another fixed header
	esac
	printf '%s ' "-max_len=$length" -timeout=20 -rss_limit_mb=1024 \
		-detect_leaks=1 -print_final_stats=1 \
		"-seed=${KMQTT_TEST_SEED:-0}"
	[ ! -e "dictionary/$1" ] || printf '%s ' "-dict=dictionary/$1"
}

# What failed once comes first, each input as it is.
one() {
	[ ! -d "regression/$3" ] ||
		"$2/$3" -timeout=20 -rss_limit_mb=1024 "regression/$3"/* || return
	# shellcheck disable=SC2046 # a list of options
	"$2/$3" $(flags "$3") -max_total_time="$1" \
		-artifact_prefix="$2/$3-" "$2/corpus/$3"
}

case $1 in
--flags)
	flags "$2"
	exit ;;
--one)
	one "$2" "$3" "$4" >"$3/$4.log" 2>&1
	echo $? >"$3/$4.status"
	exit 0 ;;
esac

. ../lib/ktap.sh

seconds=$1 dir=$2
shift 2

number() {
	sed -n "s/^$1//p" "$dir/$target.log" | tail -n 1
}

report() {
	[ "$(cat "$dir/$target.status")" = 0 ] || {
		tail -n 60 "$dir/$target.log"
		return 1
	}
	runs=$(number 'stat::number_of_executed_units: *')
	taken=$(number 'fuzz: taken ')
	echo "$runs inputs in $seconds s, $taken of them were taken," \
		"$(sed -n 's/.* cov: \([0-9]*\) ft: .*/\1/p' "$dir/$target.log" |
		tail -n 1) edges"
	# a fuzzer that rejects all it is given would be content, too
	[ "${runs:-0}" -gt 100 ] && [ "${taken:-0}" -gt $((runs / 1000)) ]
}

wanted=
for target; do
	! ktap_wanted "fuzz: $target" || wanted="$wanted $target"
done
if [ -n "$wanted" ] && ! command -v "$FUZZ_CC" >/dev/null; then
	for target in $wanted; do
		ktap_skip "fuzz: $target" "there is no $FUZZ_CC"
	done
	wanted=
fi
if [ -n "$wanted" ]; then
	"${MAKE:-make}" -s -j"${JOBS:-2}" OUTPUT="$dir" build || exit 1
	# shellcheck disable=SC2086 # a list of words
	printf '%s\n' $wanted |
		xargs -P "${JOBS:-2}" -n 1 "$0" --one "$seconds" "$dir"
fi
for target in $wanted; do
	ktap_run "fuzz: $target" report
done
ktap_end
