#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the fuzzers' inputs reach of the code they are for, by file.
#
# usage: coverage.sh DIR TARGET...	(as make coverage has built them)

dir=$1
shift
for tool in llvm-profdata llvm-cov; do
	command -v $tool >/dev/null || {
		echo "$tool is not there: apt-get install llvm" >&2
		exit 1
	}
done
for target; do
	mkdir -p "regression/$target"
	LLVM_PROFILE_FILE="$dir/profiled/$target.raw" \
		"$dir/profiled/$target" -runs=0 -timeout=20 \
		"$dir/corpus/$target" "regression/$target" \
		>"$dir/profiled/$target.log" 2>&1 || {
		tail -n 20 "$dir/profiled/$target.log" >&2
		exit 1
	}
	rmdir "regression/$target" 2>/dev/null
	llvm-profdata merge -o "$dir/profiled/$target.prof" \
		"$dir/profiled/$target.raw"
	echo "== $target: $(find "$dir/corpus/$target" -type f | wc -l) inputs"
	llvm-cov report "$dir/profiled/$target" \
		-instr-profile="$dir/profiled/$target.prof" \
		-ignore-filename-regex='selftests|/usr/' |
		awk '/\.c |^TOTAL/ { printf "%-40s %s of lines\n", $1, $10 }'
done
