/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMQTT_ADDR_H
#define KMQTT_ADDR_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>

/*
 * Where a peer is. A struct sockaddr_storage has 100 bytes more, with which a
 * connection would not fit into 512 bytes, and take 1,024 of the allocator.
 */
union kmqtt_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

#endif
