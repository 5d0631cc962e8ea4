#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What was once found, limits, then the fuzzer for some seconds.
#
# usage: smoke.sh SECONDS DIR FLAGS	(T, MAKE, FUZZ_CC: environment)
. ../lib/ktap.sh

seconds=$1 dir=$2 flags=$3

build() {
	"${MAKE:-make}" -s -j"$(nproc)" OUTPUT="$dir" build
}

# The end of a log that says what went wrong; the input is beside it.
log_tail() {
	grep -v ' in fuzzer::' "$1" | tail -n 60
	return 1
}

again() {
	for input in regressions/*; do
		# shellcheck disable=SC2086 # a list of options
		"$dir/connfuzz" $flags "$input" >"$dir/again.log" 2>&1 || {
			echo "$input:"
			log_tail "$dir/again.log"
			return 1
		}
	done
	set -- regressions/*
	echo "$# inputs that once failed"
}

# Each allocation of each conversation fails once.
every() {
	"$dir/every" 10 "$dir/crash-every" "$dir"/seeds/talk-* \
		"$dir"/seeds/pieces-* >"$dir/every.log" 2>&1 || {
		log_tail "$dir/every.log"
		return 1
	}
	tail -n 1 "$dir/every.log"
}

# One task gives way to the others, at each point there is.
races() {
	"$dir/every" 65535 "$dir/crash-race" "$dir"/seeds/race-* \
		>"$dir/races.log" 2>&1 || {
		log_tail "$dir/races.log"
		return 1
	}
	tail -n 1 "$dir/races.log"
}

points() {
	sed -n 's/^\tUNIT_TEST(\(.*\)),$/\1/p' limits.c
}

# One of them: what it has said without the KTAP around it.
limits() {
	T="limits: $1" "$dir/limits" >"$dir/limits.log" 2>&1
	status=$?
	grep -v -e '^KTAP ' -e '^1\.\.' -e '^ok ' -e "WARNING: ASan doesn't" \
		"$dir/limits.log"
	[ $status = 0 ]
}

fuzz() {
	mkdir -p "$dir/corpus"
	# shellcheck disable=SC2086 # a list of options
	"$dir/connfuzz" $flags -max_total_time="$seconds" \
		-print_final_stats=1 -artifact_prefix="$dir/" "$dir/corpus" \
		"$dir/seeds" regressions >"$dir/fuzz.log" 2>&1 || {
		log_tail "$dir/fuzz.log"
		return 1
	}
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$dir/fuzz.log")
	echo "$runs inputs in $seconds s"
	# a fuzzer that gets nowhere would be content, too
	[ "${runs:-0}" -gt 100 ]
}

fuzz_test() {
	ktap_wanted "$1" || return
	if ! command -v "$FUZZ_CC" >/dev/null; then
		ktap_skip "$1" "there is no $FUZZ_CC"
		return
	fi
	[ -n "$built" ] || build || exit 1
	built=yes
	ktap_run "$@"
}

built=
fuzz_test "connfuzz: what was found before" again
fuzz_test "connfuzz: every allocation fails" every
fuzz_test "connfuzz: interrupted at every point" races
for point in $(points); do
	fuzz_test "connfuzz: $(echo "$point" | tr _ ' ')" limits "$point"
done
fuzz_test "connfuzz: connections" fuzz
ktap_end
