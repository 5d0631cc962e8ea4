/* SPDX-License-Identifier: GPL-2.0 */
/* A PUBLISH on its way: built once, never changed, shared by all who get it. */
#ifndef KMQTT_MESSAGE_H
#define KMQTT_MESSAGE_H

#include <linux/jiffies.h>
#include <linux/refcount.h>
#include "core/packet.h"

struct kmqtt_broker;

/* What a queued message costs beside its bytes (for max_queued_bytes). */
#define KMQTT_MSG_OVERHEAD	64

/* MQTT 5.0 or not, packet identifier or not. */
#define KMQTT_NR_IMAGES		4

/**
 * struct kmqtt_image - a PUBLISH as it goes to all but for some bits of it
 * @len: of @data (bytes)
 * @pid_at: where its packet identifier goes, 0: it has none
 * @whole: the payload is in it, else it follows
 * @ahead: @len bytes, with no flags, also stand right before the payload
 * @data: flags other than the type are for the sender to set in the first byte
 */
struct kmqtt_image {
	u16 len;
	u16 pid_at;
	bool whole : 1;
	bool ahead : 1;
	u8 data[];
};

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
 * @in_page: @buf is a page
 * @paged: TCP may send from there
 * @headroom: bytes before the payload that nothing is in yet
 * @images: made while it is routed to many, for those of one protocol and
 *	with or without packet identifier; NULL until then. One may be in @data:
 *	the packet as it came. See kmqtt_msg_image()
 * @buf: big messages: of bulk.h, where the payload is; else NULL
 * @data: a copy of what is not in @buf
 */
struct kmqtt_msg {
	refcount_t ref;
	u8 qos;
	bool retain : 1;
	bool in_page : 1;
	bool paged : 1;
	u16 headroom;
	struct kmqtt_broker *broker;
	struct mqtt_str topic;
	struct mqtt_str props;
	struct mqtt_str payload;
	u64 expires;
	u64 created;
	size_t charged;
	struct kmqtt_image *images[KMQTT_NR_IMAGES];
	void *buf;
	u8 data[];
};

/**
 * kmqtt_msg_create() - build a message
 * @broker: whose
 * @publish: decoded packet (or a will in that form)
 * @topic: its topic, any alias resolved
 * @buf: NULL: everything is copied. Else the charged buffer, of bulk.h, that
 *	@publish points into: if the result's @buf is this, the message owns it
 * @buf_size: bytes allocated for @buf
 * @gfp: how to allocate; what sleeps, with @buf or a payload of 4 KiB or more
 *
 * Context: as @gfp has it. Return: a message with one reference, or NULL when
 * out of memory or over memory_max (counted by the caller, who knows the
 * answer).
 */
struct kmqtt_msg *kmqtt_msg_create(struct kmqtt_broker *broker,
				   const struct mqtt_publish *publish,
				   const struct mqtt_str *topic,
				   void *buf, size_t buf_size, gfp_t gfp);

/* Bytes that @msg counts for in a queue. */
static inline u32 kmqtt_msg_size(const struct kmqtt_msg *msg)
{
	return msg->topic.len + msg->props.len + msg->payload.len +
	       KMQTT_MSG_OVERHEAD;
}

static inline u32 kmqtt_image_index(u8 version, u8 qos)
{
	return (version == MQTT_V5) * 2 + !!qos;
}

/*
 * What all clients of @version are sent at @qos, without subscription
 * identifier, topic alias or message expiry; NULL: nobody has made it.
 * Any context; it lives as long as the message.
 */
static inline const struct kmqtt_image *
kmqtt_msg_image(const struct kmqtt_msg *msg, u8 version, u8 qos)
{
	/* Pairs with the release in kmqtt_msg_make_image(). */
	return smp_load_acquire(&msg->images[kmqtt_image_index(version, qos)]);
}

/*
 * Make that, if there is memory and it is small. By whoever routes the
 * message, which is one at a time. Context: as @gfp has it.
 */
void kmqtt_msg_make_image(struct kmqtt_msg *msg, u8 version, u8 qos, gfp_t gfp);

static inline struct kmqtt_msg *kmqtt_msg_get(struct kmqtt_msg *msg)
{
	refcount_inc(&msg->ref);
	return msg;
}

/* Any context. */
void kmqtt_msg_put(struct kmqtt_msg *msg);
/* The same for @nr references. */
void kmqtt_msg_put_several(struct kmqtt_msg *msg, u32 nr);

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
