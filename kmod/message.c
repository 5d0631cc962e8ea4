// SPDX-License-Identifier: GPL-2.0
/* Messages: built once, shared by all their subscribers. */
#include "message.h"

#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "broker.h"
#include "bulk.h"
#include "core/encode.h"
#include "core/wire.h"

/*
 * Payloads from this size on stay in the buffer they were received in, or are
 * given one. If that is a page, TCP is given it: from here on the pieces that it is
 * in cost less than a copy.
 */
#define KMQTT_MSG_KEEP_BUF	4096

/* Beside topic and properties a head has no more (bytes). */
#define KMQTT_MSG_FIXED		16

/* An image has room for so much of head and payload (bytes). */
#define KMQTT_IMAGE_HEAD	512
#define KMQTT_IMAGE_PAYLOAD	512

static bool kmqtt_msg_props_plain(const struct mqtt_props *props)
{
	const u64 own = BIT_ULL(MQTT_PROP_MESSAGE_EXPIRY) |
			BIT_ULL(MQTT_PROP_TOPIC_ALIAS) |
			BIT_ULL(MQTT_PROP_SUBSCRIPTION_ID) |
			BIT_ULL(MQTT_PROP_WILL_DELAY);

	return !(props->present & own);
}

static struct kmqtt_msg *kmqtt_msg_alloc(struct kmqtt_broker *broker,
					 size_t data, size_t charge, gfp_t gfp)
{
	struct kmqtt_msg *msg;

	charge += sizeof(*msg) + data;
	if (!kmqtt_charge(broker, charge))
		return NULL;
	msg = kvmalloc(sizeof(*msg) + data, gfp | __GFP_NOWARN);
	if (!msg) {
		kmqtt_uncharge(broker, charge);
		return NULL;
	}
	memset(msg, 0, sizeof(*msg));
	refcount_set(&msg->ref, 1);
	msg->broker = broker;
	msg->charged = charge;
	return msg;
}

static void kmqtt_msg_copy(struct mqtt_str *dst, const struct mqtt_str *src,
			   u8 **at)
{
	memcpy(*at, src->data, src->len);
	dst->data = *at;
	dst->len = src->len;
	*at += src->len;
}

static void kmqtt_msg_stamp(struct kmqtt_msg *msg,
			    const struct mqtt_publish *publish)
{
	const struct mqtt_props *props = &publish->props;

	msg->qos = publish->qos;
	msg->retain = publish->retain;
	msg->created = get_jiffies_64();
	if (mqtt_props_has(props, MQTT_PROP_MESSAGE_EXPIRY))
		msg->expires = msg->created + (u64)props->message_expiry * HZ;
}

/* Those that go on, @props bytes, to @at. */
static void kmqtt_msg_copy_props(struct kmqtt_msg *msg,
				 const struct mqtt_publish *pub, u32 props,
				 u8 *at)
{
	msg->props.data = at;
	msg->props.len = props;
	if (kmqtt_msg_props_plain(&pub->props))
		memcpy(at, pub->props.raw.data, props);
	else
		mqtt_props_forward(&pub->props.raw, at);
}

/* A copy of topic and properties. Return: what is behind it. */
static u8 *kmqtt_msg_copy_head(struct kmqtt_msg *msg, u8 *at,
			       const struct mqtt_publish *pub,
			       const struct mqtt_str *topic, u32 props)
{
	kmqtt_msg_copy(&msg->topic, topic, &at);
	kmqtt_msg_copy_props(msg, pub, props, at);
	return at + props;
}

/*
 * Bytes before a payload that is not copied to its heads: one head that all have in
 * common is then put there.
 */
static u32 kmqtt_msg_room(const struct mqtt_publish *pub,
			  const struct mqtt_str *topic, u32 props)
{
	u32 room = KMQTT_MSG_FIXED + topic->len + props;

	return pub->payload.len > KMQTT_IMAGE_PAYLOAD &&
	       room <= KMQTT_IMAGE_HEAD ? room : 0;
}

/* Can it go on as it came, to others of the same protocol? */
static bool kmqtt_msg_goes_on(const struct mqtt_publish *pub,
			      const struct mqtt_str *topic)
{
	return !pub->qos && pub->body.len &&
	       pub->payload.len <= KMQTT_IMAGE_PAYLOAD &&
	       pub->body.len - pub->payload.len <= KMQTT_IMAGE_HEAD &&
	       topic->data == pub->topic.data &&
	       kmqtt_msg_props_plain(&pub->props);
}

/* The same place in a copy of @pub's body at @at. */
static struct mqtt_str kmqtt_msg_moved(const struct mqtt_publish *pub,
				       const struct mqtt_str *str, const u8 *at)
{
	return (struct mqtt_str){
		.data = at + (str->data - pub->body.data),
		.len = str->len,
	};
}

static_assert(offsetof(struct kmqtt_msg, data) %
	      __alignof__(struct kmqtt_image) == 0,
	      "one may stand there");

/* The packet behind the message itself, which is an image at the same time. */
static struct kmqtt_msg *kmqtt_msg_create_image(struct kmqtt_broker *broker,
						const struct mqtt_publish *pub,
						gfp_t gfp)
{
	u32 len = 1 + mqtt_varint_len(pub->body.len) + pub->body.len;
	struct kmqtt_image *image;
	struct kmqtt_msg *msg;
	u8 *at;

	msg = kmqtt_msg_alloc(broker, sizeof(*image) + len, 0, gfp);
	if (!msg)
		return NULL;
	image = (struct kmqtt_image *)msg->data;
	image->len = len;
	image->pid_at = 0;
	image->whole = true;
	image->ahead = false;
	at = mqtt_put_u8(image->data, MQTT_PUBLISH << 4);
	at = mqtt_put_varint(at, pub->body.len);
	memcpy(at, pub->body.data, pub->body.len);
	msg->topic = kmqtt_msg_moved(pub, &pub->topic, at);
	if (pub->props.raw.len)
		msg->props = kmqtt_msg_moved(pub, &pub->props.raw, at);
	msg->payload = kmqtt_msg_moved(pub, &pub->payload, at);
	msg->images[kmqtt_image_index(pub->version, 0)] = image;
	return msg;
}

/* Topic, properties and payload behind the message itself. */
static struct kmqtt_msg *kmqtt_msg_create_short(struct kmqtt_broker *broker,
						const struct mqtt_publish *pub,
						const struct mqtt_str *topic,
						u32 props, gfp_t gfp)
{
	u32 room = kmqtt_msg_room(pub, topic, props);
	struct kmqtt_msg *msg;
	u8 *at;

	msg = kmqtt_msg_alloc(broker, topic->len + props + room +
			      pub->payload.len, 0, gfp);
	if (!msg)
		return NULL;
	at = kmqtt_msg_copy_head(msg, msg->data, pub, topic, props) + room;
	kmqtt_msg_copy(&msg->payload, &pub->payload, &at);
	msg->headroom = room;
	return msg;
}

/* The payload is in it, behind @room bytes that are nobody's. */
static void kmqtt_msg_set_buf(struct kmqtt_msg *msg, void *buf, size_t size,
			      u32 room)
{
	msg->buf = buf;
	msg->in_page = kmqtt_bulk_is_page(buf, size);
	msg->paged = msg->in_page && kmqtt_bulk_is_worth(size, msg->payload.len);
	msg->headroom = room;
}

/* With a buffer for the payload, and for what goes before it on its way out. */
static struct kmqtt_msg *kmqtt_msg_create_long(struct kmqtt_broker *broker,
					       const struct mqtt_publish *pub,
					       const struct mqtt_str *topic,
					       u32 props)
{
	u32 room = kmqtt_msg_room(pub, topic, props);
	size_t size = room + pub->payload.len;
	struct kmqtt_msg *msg;
	u8 *buf, *at;

	msg = kmqtt_msg_alloc(broker, topic->len + props, size, GFP_KERNEL);
	if (!msg)
		return NULL;
	buf = kmqtt_bulk_alloc(size);
	if (!buf) {
		kmqtt_msg_put(msg);
		return NULL;
	}
	kmqtt_msg_copy_head(msg, msg->data, pub, topic, props);
	at = buf + room;
	kmqtt_msg_copy(&msg->payload, &pub->payload, &at);
	kmqtt_msg_set_buf(msg, buf, size, room);
	return msg;
}

/*
 * The payload stays in @buf, which was charged when it was received into. So does
 * what comes before it, if it is long; if not, a head that all have in common takes
 * its place.
 */
static struct kmqtt_msg *kmqtt_msg_create_kept(struct kmqtt_broker *broker,
					       const struct mqtt_publish *pub,
					       const struct mqtt_str *topic,
					       u32 props, void *buf,
					       size_t buf_size)
{
	bool moves = kmqtt_msg_room(pub, topic, props);
	bool topic_moves = moves || topic->data != pub->topic.data;
	bool props_move = moves || !kmqtt_msg_props_plain(&pub->props);
	size_t room = pub->payload.data - (const u8 *)buf;
	struct kmqtt_msg *msg;
	u8 *at;

	msg = kmqtt_msg_alloc(broker, (topic_moves ? topic->len : 0) +
			      (props_move ? props : 0), 0, GFP_KERNEL);
	if (!msg)
		return NULL;
	at = msg->data;
	msg->topic = *topic;
	if (topic_moves)
		kmqtt_msg_copy(&msg->topic, topic, &at);
	msg->props = pub->props.raw;
	if (props_move)
		kmqtt_msg_copy_props(msg, pub, props, at);
	msg->payload = pub->payload;
	kmqtt_msg_set_buf(msg, buf, buf_size,
			  moves ? min_t(size_t, room, KMQTT_IMAGE_HEAD) : 0);
	msg->charged += buf_size;
	return msg;
}

/* Taken apart: its heads are others than it came with. */
static struct kmqtt_msg *kmqtt_msg_create_parts(struct kmqtt_broker *broker,
						const struct mqtt_publish *pub,
						const struct mqtt_str *topic,
						void *buf, size_t buf_size,
						gfp_t gfp)
{
	const struct mqtt_props *props = &pub->props;
	u32 len;

	len = kmqtt_msg_props_plain(props) ?
		props->raw.len : mqtt_props_forward(&props->raw, NULL);
	if (pub->payload.len < KMQTT_MSG_KEEP_BUF)
		return kmqtt_msg_create_short(broker, pub, topic, len, gfp);
	if (buf)
		return kmqtt_msg_create_kept(broker, pub, topic, len, buf,
					     buf_size);
	return kmqtt_msg_create_long(broker, pub, topic, len);
}

struct kmqtt_msg *kmqtt_msg_create(struct kmqtt_broker *broker,
				   const struct mqtt_publish *publish,
				   const struct mqtt_str *topic,
				   void *buf, size_t buf_size, gfp_t gfp)
{
	struct kmqtt_msg *msg;

	if (kmqtt_msg_goes_on(publish, topic))
		msg = kmqtt_msg_create_image(broker, publish, gfp);
	else
		msg = kmqtt_msg_create_parts(broker, publish, topic, buf,
					     buf_size, gfp);
	if (msg)
		kmqtt_msg_stamp(msg, publish);
	return msg;
}

/* In front of the payload there is room for one, of one protocol. */
static void kmqtt_image_put_ahead(struct kmqtt_image *image,
				  struct kmqtt_msg *msg)
{
	u8 *payload = (u8 *)msg->payload.data;

	image->ahead = !image->pid_at && image->len <= msg->headroom;
	if (!image->ahead)
		return;
	msg->headroom = 0;
	memcpy(payload - image->len, image->data, image->len);
}

static void kmqtt_image_fill(struct kmqtt_image *image,
			     struct kmqtt_msg *msg,
			     const struct mqtt_publish_out *head)
{
	const u8 *p = image->data + 1;

	mqtt_encode_publish_head(image->data, image->len, head);
	image->pid_at = 0;
	if (head->flags) {
		while (*p++ & 0x80)
			;
		image->pid_at = p - image->data + 2 + msg->topic.len;
	}
	/* The sender's to set, with DUP and RETAIN. */
	image->data[0] &= ~MQTT_PUB_QOS_MASK;
	kmqtt_image_put_ahead(image, msg);
	if (!image->whole)
		return;
	memcpy(image->data + image->len, msg->payload.data, msg->payload.len);
	image->len += msg->payload.len;
}

void kmqtt_msg_make_image(struct kmqtt_msg *msg, u8 version, u8 qos, gfp_t gfp)
{
	struct mqtt_publish_out head = {
		.version = version,
		.flags = qos << MQTT_PUB_QOS_SHIFT,
		.payload_len = msg->payload.len,
		.topic = msg->topic,
		.props = msg->props,
	};
	bool whole = msg->payload.len <= KMQTT_IMAGE_PAYLOAD;
	struct kmqtt_image *image;
	size_t size;
	u32 len;

	/* Message expiry is another number each time it is sent. */
	if (version == MQTT_V5 && msg->expires)
		return;
	len = mqtt_publish_head_len(&head, NULL);
	/* 0: it cannot be encoded at all. */
	if (!len || len > KMQTT_IMAGE_HEAD)
		return;
	size = struct_size(image, data, len + (whole ? msg->payload.len : 0));
	/* With a retained message it stays. */
	if (!kmqtt_charge_share(msg->broker, size,
				msg->retain ? KMQTT_STORE : KMQTT_PASS))
		return;
	image = kmalloc(size, gfp | __GFP_NOWARN);
	if (!image) {
		kmqtt_uncharge(msg->broker, size);
		return;
	}
	/* Read when the last reference goes, which is after ours. */
	WRITE_ONCE(msg->charged, msg->charged + size);
	image->len = len;
	image->whole = whole;
	kmqtt_image_fill(image, msg, &head);
	/* What is in it is there before the pointer is. */
	smp_store_release(&msg->images[kmqtt_image_index(version, qos)],
			  image);
}

static void kmqtt_msg_free(struct kmqtt_msg *msg)
{
	int i;

	kmqtt_uncharge(msg->broker, msg->charged);
	for (i = 0; i < KMQTT_NR_IMAGES; i++)
		if (msg->images[i] != (struct kmqtt_image *)msg->data)
			kfree(msg->images[i]);
	kmqtt_bulk_free(msg->buf, msg->in_page);
	kmqtt_kvfree(msg);
}

void kmqtt_msg_put(struct kmqtt_msg *msg)
{
	if (refcount_dec_and_test(&msg->ref))
		kmqtt_msg_free(msg);
}

void kmqtt_msg_put_several(struct kmqtt_msg *msg, u32 nr)
{
	if (refcount_sub_and_test(nr, &msg->ref))
		kmqtt_msg_free(msg);
}

static LLIST_HEAD(kmqtt_free_list);

static void kmqtt_free_work_fn(struct work_struct *work)
{
	struct llist_node *node = llist_del_all(&kmqtt_free_list), *next;

	for (; node; node = next) {
		next = node->next;
		vfree(node);
	}
}

static DECLARE_WORK(kmqtt_free_work, kmqtt_free_work_fn);

void kmqtt_kvfree(void *ptr)
{
	if (!is_vmalloc_addr(ptr)) {
		kfree(ptr);
		return;
	}
	/* Nobody reads it any more: its first bytes are the list's. */
	if (llist_add(ptr, &kmqtt_free_list))
		queue_work(kmqtt_ctl_wq, &kmqtt_free_work);
}
