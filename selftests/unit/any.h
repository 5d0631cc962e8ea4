/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_ANY_H
#define UNIT_ANY_H

#include "packet.h"

/* struct any - a packet of any type from a client */
struct any {
	u8 type;
	union {
		struct mqtt_connect connect;
		struct mqtt_publish publish;
		struct mqtt_ack ack;
		struct mqtt_subscribe subscribe;
		struct mqtt_disconnect disconnect;
	};
};

/* whatever a view shows is read into it, for the sanitizer to see */
extern u8 any_touched;

/**
 * any_decode() - decode one whole packet, as a connection would
 * @packet: with its fixed header
 * @version: of the connection, ignored by CONNECT
 * @any: result
 *
 * What the decoder promises is checked on the way, and abort() called if it
 * does not hold: reason codes are 0 or 0x80 and above, views lie inside the
 * packet and can be read, what is counted is there.
 *
 * Return: reason code; malformed for a packet that is not just one packet.
 */
u8 any_decode(const struct mqtt_str *packet, u8 version, struct any *any);

#endif
