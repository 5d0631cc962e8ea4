/* SPDX-License-Identifier: GPL-2.0 */
/* A PUBLISH on its way: built once, never changed, shared by all who get it. */
#ifndef KMQTT_MESSAGE_H
#define KMQTT_MESSAGE_H

#include <linux/jiffies.h>
#include <linux/refcount.h>
#include "core/packet.h"

struct kmqtt_broker;

/**
 * struct kmqtt_msg - immutable, reference counted
 * @ref: freed at zero
 * @broker: whose memory it is charged to
 * @topic: into @data or @buf
 * @props: 5.0 properties that go on to subscribers, in their order
 * @payload: into @data or @buf
 * @expires: jiffies64 after which it is not to be delivered; 0: never
 * @created: jiffies64 of its arrival
 * @charged: bytes accounted
 * @qos: as published
 * @retain: RETAIN as published
 * @buf: big messages: the receive buffer itself, kvfree()d; else NULL
 * @data: a copy of what did not stay in @buf
 */
struct kmqtt_msg {
	refcount_t ref;
	u8 qos;
	bool retain;
	struct kmqtt_broker *broker;
	struct mqtt_str topic;
	struct mqtt_str props;
	struct mqtt_str payload;
	u64 expires;
	u64 created;
	size_t charged;
	void *buf;
	u8 data[];
};

/**
 * kmqtt_msg_create() - build a message
 * @broker: whose
 * @publish: decoded packet (or a will in that form)
 * @topic: its topic, any alias resolved
 * @buf: NULL: everything is copied. Else the kvmalloc()ed and charged buffer
 *	that @publish points into: if the result's @buf is set, the message
 *	owns it
 * @buf_size: bytes allocated for @buf
 *
 * Context: process. Return: a message with one reference, or NULL when out of
 * memory or over memory_max (counted by the caller, who knows the answer).
 */
struct kmqtt_msg *kmqtt_msg_create(struct kmqtt_broker *broker,
				   const struct mqtt_publish *publish,
				   const struct mqtt_str *topic,
				   void *buf, size_t buf_size);

static inline struct kmqtt_msg *kmqtt_msg_get(struct kmqtt_msg *msg)
{
	refcount_inc(&msg->ref);
	return msg;
}

/* Any context. */
void kmqtt_msg_put(struct kmqtt_msg *msg);

/**
 * kmqtt_kvfree() - kvfree() that may be called under a spinlock
 * @ptr: from kvmalloc(), at least a pointer long if vmalloc()ed, or NULL
 *
 * vfree() sleeps; such memory is handed to a work of kmqtt_ctl_wq.
 */
void kmqtt_kvfree(void *ptr);

static inline bool kmqtt_msg_expired(const struct kmqtt_msg *msg, u64 now)
{
	return msg->expires && time_after_eq64(now, msg->expires);
}

#endif
