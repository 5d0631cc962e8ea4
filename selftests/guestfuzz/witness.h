/* SPDX-License-Identifier: GPL-2.0 */
/* A client that does nothing wrong, and must not notice that others do. */
#ifndef GUESTFUZZ_WITNESS_H
#define GUESTFUZZ_WITNESS_H

#include <stdint.h>

/** struct witness - a connection; @fd is -1 without one */
struct witness {
	int fd;
	int version;
	char topic[64];
};

/* Connect and subscribe. Findings are reported; return: 0 or -1. */
int witness_begin(struct witness *w, uint16_t port, int version,
		  const char *name);
/* A message with each QoS there and back. */
int witness_check(struct witness *w);
void witness_end(struct witness *w);

#endif
