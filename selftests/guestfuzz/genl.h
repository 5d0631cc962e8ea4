/* SPDX-License-Identifier: GPL-2.0 */
/* Generic netlink by hand: what a library would not send must be possible. */
#ifndef GUESTFUZZ_GENL_H
#define GUESTFUZZ_GENL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENL_BUF	65536

/** struct genl - a socket and the number of our family */
struct genl {
	int fd;
	uint16_t family;
	uint16_t events;
	uint32_t seq;
};

/** struct genl_msg - a request that is put together; grows, never fails */
struct genl_msg {
	uint8_t data[2 * GENL_BUF];
	size_t len;
};

/* @nl->fd is -1 where the kernel has no such family. */
void genl_open(struct genl *nl);
void genl_close(struct genl *nl);

/* Start a message behind what is in @msg; return: where it begins. */
size_t genl_begin(struct genl *nl, struct genl_msg *msg, uint8_t cmd,
		  uint16_t flags);
void genl_finish(struct genl_msg *msg, size_t begin);
void genl_put(struct genl_msg *msg, uint16_t type, const void *data,
	      size_t len);
void genl_put_u8(struct genl_msg *msg, uint16_t type, uint8_t value);
void genl_put_u16(struct genl_msg *msg, uint16_t type, uint16_t value);
void genl_put_u32(struct genl_msg *msg, uint16_t type, uint32_t value);
void genl_put_u64(struct genl_msg *msg, uint16_t type, uint64_t value);
void genl_put_string(struct genl_msg *msg, uint16_t type, const char *text);
size_t genl_nest(struct genl_msg *msg, uint16_t type);
void genl_nest_end(struct genl_msg *msg, size_t begin);

/* Return: as send(). */
long genl_send(struct genl *nl, const struct genl_msg *msg);

/* Called with every message that answers; @attrs behind the header. */
typedef void (*genl_seen_t)(const uint8_t *attrs, size_t len, void *arg);

/*
 * Send @msg, one request, and read its answers to the last. Return: 0, the
 * error the kernel gave, or -ETIME: it gave no answer.
 */
int genl_ask(struct genl *nl, const struct genl_msg *msg, genl_seen_t seen,
	     void *arg);
/* A request without attributes, and a dump. */
int genl_do(struct genl *nl, uint8_t cmd);
int genl_dump(struct genl *nl, uint8_t cmd, genl_seen_t seen, void *arg);

/* The attribute of this type, its length in @len; NULL: it is not there. */
const void *genl_attr(const uint8_t *attrs, size_t len, uint16_t type,
		      size_t *size);

/* Readable within @seconds? */
bool genl_wait(struct genl *nl, double seconds);

/** struct gauges - what STATS_GET says of what there is now */
struct gauges {
	uint64_t listeners;
	uint64_t connections;
	uint64_t half_open;
	uint64_t sessions;
	uint64_t subscriptions;
	uint64_t filter_nodes;
	uint64_t topic_nodes;
	uint64_t retained_messages;
	uint64_t memory_bytes;
	uint64_t bytes_received;
	uint64_t connections_refused;
	uint64_t dropped_memory;
};

void genl_gauges(struct genl *nl, struct gauges *now);
/* Which of what must not grow does; NULL: nothing. */
const char *gauges_differ(const struct gauges *now, const struct gauges *base);
void gauges_say(const struct gauges *now, const struct gauges *base);

/* A listener on 127.0.0.1; return: as genl_ask(). */
int genl_listen(struct genl *nl, uint16_t port, uint8_t mode);
int genl_config(struct genl *nl, const char *name, uint64_t value);

#endif
