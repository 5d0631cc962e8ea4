// SPDX-License-Identifier: GPL-2.0
/*
 * Any packet at any version. What the decoder promises is checked by
 * any_decode(); a PUBLISH that it takes is also passed on and read again.
 *
 * Input: a byte for the version, then a packet with its fixed header.
 */
#include <stdlib.h>
#include <string.h>
#include "any.h"
#include "bytes.h"
#include "fuzz.h"
#include "topic.h"

static void same(const struct mqtt_str *a, const struct mqtt_str *b)
{
	if (a->len != b->len || (a->len && memcmp(a->data, b->data, a->len)))
		abort();
}

static void pass_on(const struct mqtt_publish *in, u8 first, u8 version)
{
	static const struct mqtt_str alias_only = { (const u8 *)"t", 1 };
	struct mqtt_publish_out out = { .version = version };
	struct any again;
	u8 *props, *buf;
	u32 head, total;

	props = malloc(in->props.raw.len + 1);
	out.flags = first & 0x0f;
	out.packet_id = in->packet_id;
	out.topic = in->topic.len ? in->topic : alias_only;
	out.props.data = props;
	out.props.len = mqtt_props_forward(&in->props.raw, props);
	out.has_expiry = mqtt_props_has(&in->props, MQTT_PROP_MESSAGE_EXPIRY);
	out.message_expiry = in->props.message_expiry;
	out.payload_len = in->payload.len;

	head = mqtt_publish_head_len(&out, &total);
	buf = malloc(total);
	if (!props || !buf || total != head + in->payload.len ||
	    mqtt_encode_publish_head(buf, head, &out) != (int)head)
		abort();
	if (in->payload.len)
		memcpy(buf + head, in->payload.data, in->payload.len);
	if (any_decode(&(struct mqtt_str){ buf, total }, version, &again))
		abort();
	same(&again.publish.topic, &out.topic);
	same(&again.publish.payload, &in->payload);
	same(&again.publish.props.content_type, &in->props.content_type);
	same(&again.publish.props.correlation_data,
	     &in->props.correlation_data);
	if (again.publish.packet_id != in->packet_id ||
	    again.publish.qos != in->qos ||
	    again.publish.props.nr_user != in->props.nr_user ||
	    again.publish.props.message_expiry != in->props.message_expiry)
		abort();
	free(props);
	free(buf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mqtt_str packet;
	struct any any;
	u8 version;

	if (size < 1)
		return 0;
	version = MQTT_V31 + data[0] % 3;
	packet = bytes_copy(data + 1, size - 1);
	if (!any_decode(&packet, version, &any)) {
		fuzz_taken();
		if (any.type == MQTT_PUBLISH)
			pass_on(&any.publish, packet.data[0], version);
	}
	bytes_free(&packet);
	return 0;
}
