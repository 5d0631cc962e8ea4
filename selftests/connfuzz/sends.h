/* SPDX-License-Identifier: GPL-2.0 */
/* What clients send, made from three bytes of input each. */
#ifndef CONNFUZZ_SENDS_H
#define CONNFUZZ_SENDS_H

#include "client.h"

/** struct args - of one operation */
struct args {
	u8 a;
	u8 b;
	u8 c;
};

struct packet {
	u8 *data;
	u32 len;
};

/* Valid until the next one is made. @version: of the client as it is sent. */
struct packet packet_connect(const struct args *args);
struct packet packet_publish(const struct args *args, u8 version);
struct packet packet_subscribe(const struct args *args, u8 version, u8 type);
struct packet packet_ack(u8 type, u16 id, u8 reason, u8 version);
struct packet packet_disconnect(const struct args *args, u8 version);
struct packet packet_auth(const struct args *args);
struct packet packet_ping(void);
/* Whatever the unit tests have. */
struct packet packet_case_at(const struct args *args);

/* Client identifiers and filters, as they are used here. */
const char *client_name(u8 which);
const char *filter_name(u8 which);

void packets_reset(void);

#endif
