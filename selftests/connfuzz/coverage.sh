#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Lines of kmod/ that were executed, by file, and all together.
#
# usage: coverage.sh DIR	(with .gcda files)
find "$1" -name '*.gcda' | sort | while read -r data; do
	gcov -n "$data" 2>/dev/null
done | awk -v FS="[':% ]" '
	/^File/ { file = $3 }
	/^Lines executed/ && file ~ /\/kmod\/.*\.c$/ {
		sub(/.*\/kmod\//, "", file)
		if (file in seen)
			next
		seen[file] = 1
		printf "%6.2f %% of %4d  %s\n", $3, $NF, file
		hit += $3 * $NF / 100
		all += $NF
	}
	END { printf "%6.2f %% of %4d  all of them\n", 100 * hit / all, all }'
