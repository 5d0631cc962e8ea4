#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run each fuzzer for some seconds; one test each.
#
# usage: smoke.sh SECONDS DIR FLAGS TARGET...	(T, MAKE, FUZZ_CC: environment)
. ../lib/ktap.sh

seconds=$1 dir=$2 flags=$3
shift 3
built=

fuzz() {
	# shellcheck disable=SC2086 # a list of options
	"$dir/$1" $flags -max_total_time="$seconds" -print_final_stats=1 \
		-artifact_prefix="$dir/$1-" "$dir/corpus/$1" \
		>"$dir/$1.log" 2>&1 || {
		tail -n 40 "$dir/$1.log"
		return 1
	}
	runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$dir/$1.log")
	echo "$runs inputs in $seconds s"
	# a fuzzer that rejects all it is given would be content, too
	[ "${runs:-0}" -gt 1000 ]
}

for target; do
	name="fuzz: $target"
	ktap_wanted "$name" || continue
	if ! command -v "$FUZZ_CC" >/dev/null; then
		ktap_skip "$name" "there is no $FUZZ_CC"
		continue
	fi
	if [ -z "$built" ]; then
		"${MAKE:-make}" -s OUTPUT="$dir" build || exit 1
		built=yes
	fi
	ktap_run "$name" fuzz "$target"
done
ktap_end
