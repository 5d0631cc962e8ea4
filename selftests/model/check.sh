#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Check the models, in all their states, with the tables of kmod/core/qos.c as
# they are; then with one error planted each, which has to be found.
#
# usage: check.sh DIR	(DIR/table is there; T, CC, BIG: environment)
. ../lib/ktap.sh

dir=$1
cc=${CC:-cc}
send="-DMESSAGES=2 -DIDS=2 -DWINDOW=1"
receive="-DMESSAGES=2 -DIDS=1 -DWINDOW=1 -DVERSION=5"

# build MODEL "DEFINES" "CELLS" "FLAGS": $dir/run/pan
build() {
	rm -rf "$dir/run"
	mkdir -p "$dir/run"
	# shellcheck disable=SC2086 # lists of words
	"$dir/table" $3 >"$dir/run/table.pml" &&
	cp "$1.pml" line.pml "$dir/run/" &&
	cd "$dir/run" &&
	spin $2 -a "$1.pml" >spin.log 2>&1 &&
	$cc -w -DMEMLIM=4096 $4 -o pan pan.c >>spin.log 2>&1 && return
	cat spin.log
	return 1
}

search() {
	./pan -m4000000 -w22 "$@" >log 2>&1
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' log)
	# Whatever was not looked at proves nothing.
	if ! grep -q 'errors: ' log ||
	   grep -q 'max search depth too small\|truncated\|out of memory' log
	then
		cat log
		return 1
	fi
}

# holds safety|liveness MODEL "DEFINES"
holds() (
	what=$1 flags="-O2 -DSAFETY -DNOCLAIM -DCOLLAPSE" arguments=
	if [ "$what" = liveness ]; then
		flags="-O2 -DNFAIR=3 -DCOLLAPSE"
		arguments="-a -f"
	fi
	# shellcheck disable=SC2086 # lists of words
	build "$2" "$3" "" "$flags" && search $arguments || exit 1
	echo "$states states"
	grep -q 'errors: 0' log && exit
	grep '^pan:[0-9]' log
	exit 1
)

# finds WHAT-IN-THE-LOG MODEL "DEFINES" "CELLS"
finds() (
	flags="-O0 -DSAFETY -DNOCLAIM" arguments=
	if [ "$1" = 'acceptance cycle' ]; then
		flags="-O0 -DNFAIR=3"
		arguments="-a -f"
	fi
	# shellcheck disable=SC2086 # lists of words
	build "$2" "$3" "$4" "$flags" && search $arguments || exit 1
	grep '^pan:[0-9]' log || echo "nothing found in $states states"
	grep -q "^pan:[0-9]*: .*$1" log
)

check() {
	ktap_run "$1, $2: $3" holds "$1" "$2" "$3"
}

# planted NAME FOUND-BY MODEL "DEFINES" "CELLS"
planted() {
	name=$1
	shift
	ktap_run "found: $name" finds "$@"
}

check safety send "-DMESSAGES=3 -DIDS=2 -DWINDOW=2"
check safety send "-DMESSAGES=3 -DIDS=2 -DWINDOW=1 -DREFUSE"
check safety send "-DMESSAGES=3 -DIDS=3 -DWINDOW=1 -DEAGER"
check safety send "-DMESSAGES=3 -DIDS=2 -DWINDOW=1 -DRETRY"
check liveness send "-DMESSAGES=2 -DIDS=2 -DWINDOW=2 -DREFUSE"
check liveness send "-DMESSAGES=2 -DIDS=2 -DWINDOW=1 -DRETRY"
check safety receive "-DMESSAGES=3 -DIDS=2 -DWINDOW=1 -DVERSION=5"
check safety receive "-DMESSAGES=3 -DIDS=2 -DWINDOW=2 -DVERSION=3"
check liveness receive "-DMESSAGES=2 -DIDS=2 -DWINDOW=2 -DVERSION=5"
check liveness receive "-DMESSAGES=2 -DIDS=2 -DWINDOW=2 -DVERSION=3"
if [ -n "$BIG" ]; then
	check safety receive "-DMESSAGES=3 -DIDS=2 -DWINDOW=2 -DVERSION=5"
	check safety send "-DMESSAGES=3 -DIDS=4 -DWINDOW=2 -DREFUSE"
	check safety send "-DMESSAGES=3 -DIDS=4 -DWINDOW=2 -DEAGER"
	check safety send "-DMESSAGES=3 -DIDS=4 -DWINDOW=2 -DRETRY"
	check liveness send "-DMESSAGES=3 -DIDS=3 -DWINDOW=2"
	check liveness receive "-DMESSAGES=3 -DIDS=3 -DWINDOW=2 -DVERSION=5"
fi

# Errors in what the broker sends

planted "an identifier that is free at PUBREC" "invalid end state" \
	send "$send" WAIT_PUBREC.PUBREC_OK=DONE.RELEASE
planted "PUBLISH instead of PUBREL on a new connection" assertion \
	send "$send" WAIT_PUBCOMP.RESUME=WAIT_PUBCOMP.SEND_PUBLISH_DUP
planted "PUBREL that is not repeated" "invalid end state" \
	send "$send" WAIT_PUBCOMP.RESUME=WAIT_PUBCOMP.NONE
planted "PUBREL and PUBCOMP for ever" "acceptance cycle" \
	send "$send" WAIT_PUBCOMP.PUBCOMP=WAIT_PUBCOMP.SEND_PUBREL
planted "a message sent again without DUP" assertion \
	send "$send" WAIT_PUBACK.RESUME=WAIT_PUBACK.SEND_PUBLISH
planted "a message that counts as arrived when it was sent" . \
	send "$send" WAIT_PUBACK.RESUME=DONE.RELEASE
planted "nothing is resumed" "invalid end state" \
	send "$send -DNO_RESUME"
planted "new identifiers on a new connection" assertion \
	send "$send -DNEW_ID"
planted "an identifier used again too early, QoS 1 repeated" assertion \
	send "$send -DRETRY -DLOWEST_ID"
planted "an identifier used again too early, PUBREC repeated" assertion \
	send "-DMESSAGES=2 -DIDS=3 -DWINDOW=1 -DEAGER -DLOWEST_ID"
planted "more than the receive maximum on a new connection" assertion \
	send "-DMESSAGES=3 -DIDS=2 -DWINDOW=2 -DNO_QUOTA"
planted "answers by a connection that has lost the session" assertion \
	send "$send -DOLD_IS_READ"
planted "sent again in the wrong order" assertion \
	send "-DMESSAGES=2 -DIDS=2 -DWINDOW=2 -DBACKWARDS"

# Errors in what it receives

planted "a repetition that is taken for a new message" assertion \
	receive "$receive" RX_HELD.RX_PUBLISH=RX_HELD.RX_HAND_ON
planted "an identifier forgotten with the connection" assertion \
	receive "$receive -DHELD_BY_CONNECTION"
planted "an identifier kept after a refusal" . \
	receive "$receive" RX_HELD.RX_REFUSED=RX_HELD.RX_SEND_PUBREC_ERROR
planted "an identifier kept after PUBREL" . \
	receive "$receive" RX_HELD.RX_PUBREL=RX_HELD.RX_SEND_PUBCOMP
planted "packets of a connection that has lost the session" assertion \
	receive "$receive -DOLD_IS_READ"
planted "QoS 1 acknowledged and not taken" assertion \
	receive "-DMESSAGES=2 -DIDS=1 -DWINDOW=1 -DVERSION=3 -DACK_ANYWAY"

# Each cell of the tables matters, if a good client can lead there: there the
# models must not do without it.
for cell in QUEUED.SEND WAIT_PUBACK.PUBACK WAIT_PUBACK.RESUME \
	    WAIT_PUBREC.PUBREC_OK WAIT_PUBREC.PUBREC_ERROR WAIT_PUBREC.RESUME \
	    WAIT_PUBCOMP.PUBCOMP WAIT_PUBCOMP.RESUME; do
	planted "nothing done at $cell" . \
		send "$send -DREFUSE" "$cell=${cell%.*}.NONE"
done
for cell in RX_FREE.RX_PUBLISH RX_FREE.RX_REFUSED RX_FREE.RX_PUBREL \
	    RX_HELD.RX_PUBLISH RX_HELD.RX_TAKEN RX_HELD.RX_REFUSED \
	    RX_HELD.RX_PUBREL; do
	planted "nothing done at $cell" . \
		receive "$receive" "$cell=${cell%.*}.RX_NONE"
done
for cell in RX_FREE.RX_FAILED RX_HELD.RX_FAILED; do
	planted "nothing done at $cell" . receive \
		"-DMESSAGES=2 -DIDS=1 -DWINDOW=1 -DVERSION=3" \
		"$cell=${cell%.*}.RX_NONE"
done
ktap_end
