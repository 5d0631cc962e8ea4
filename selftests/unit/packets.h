/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_PACKETS_H
#define UNIT_PACKETS_H

#include <linux/types.h>

/**
 * struct packet_case - one packet and what becomes of it
 * @version: of the connection it comes in on
 * @rc: reason code
 * @cut_ok: of a right packet: how many of its bodies that lack one or more
 *	bytes at the end are right, too
 * @text: see bytes()
 */
struct packet_case {
	u8 version;
	u8 rc;
	u8 cut_ok;
	const char *text;
};

extern const struct packet_case packet_cases[];
extern const u32 nr_packet_cases;

#endif
