// SPDX-License-Identifier: GPL-2.0
#include "any.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "topic.h"

#define PROMISE(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: broken promise: %s\n",		\
			__FILE__, __LINE__, #condition);		\
		abort();						\
	}								\
} while (0)

u8 any_touched;

static void check_view(const struct mqtt_str *view, const struct mqtt_str *in)
{
	u32 i;

	PROMISE(within(view, in));
	for (i = 0; i < view->len; i++)
		any_touched ^= view->data[i];
}

static void check_text(const struct mqtt_str *text, const struct mqtt_str *in)
{
	check_view(text, in);
	PROMISE(mqtt_utf8_valid(text->data, text->len));
}

static void check_props(const struct mqtt_props *props,
			const struct mqtt_str *in)
{
	u8 *copy = malloc(props->raw.len + 1);
	u32 len = mqtt_props_forward(&props->raw, NULL);

	PROMISE(copy);
	check_view(&props->raw, in);
	check_text(&props->content_type, in);
	check_text(&props->response_topic, in);
	check_view(&props->correlation_data, in);
	check_text(&props->auth_method, in);
	check_view(&props->auth_data, in);
	check_text(&props->reason_string, in);
	PROMISE(!props->present == !props->raw.len);
	PROMISE(!props->nr_user ==
		!mqtt_props_has(props, MQTT_PROP_USER_PROPERTY));
	PROMISE(props->receive_maximum);
	PROMISE(props->payload_format <= 1);
	PROMISE(props->request_problem_info <= 1);
	PROMISE(props->request_response_info <= 1);
	PROMISE(len <= props->raw.len);
	PROMISE(mqtt_props_forward(&props->raw, copy) == len);
	free(copy);
}

static void check_connect(const struct mqtt_connect *connect,
			  const struct mqtt_str *in)
{
	check_text(&connect->client_id, in);
	check_text(&connect->will_topic, in);
	check_view(&connect->will_payload, in);
	check_text(&connect->username, in);
	check_view(&connect->password, in);
	check_props(&connect->props, in);
	check_props(&connect->will_props, in);
	PROMISE(connect->version >= MQTT_V31 && connect->version <= MQTT_V5);
	PROMISE(connect->has_will ? connect->will_topic.len :
		!connect->will_qos && !connect->will_retain);
	PROMISE(connect->will_qos <= 2);
}

static void check_publish(const struct mqtt_publish *publish,
			  const struct mqtt_str *in)
{
	check_text(&publish->topic, in);
	check_view(&publish->payload, in);
	check_props(&publish->props, in);
	PROMISE(publish->qos <= 2);
	PROMISE(!publish->qos == !publish->packet_id);
	PROMISE(publish->topic.len || publish->props.topic_alias);
}

static void check_subscribe(const struct mqtt_subscribe *subscribe, u8 type,
			    const struct mqtt_str *in)
{
	struct mqtt_str left = subscribe->filters, filter;
	u8 options = 0;
	u32 nr = 0;

	check_props(&subscribe->props, in);
	PROMISE(subscribe->packet_id);
	while (mqtt_subscribe_next(&left, type == MQTT_SUBSCRIBE ?
				   &options : NULL, &filter)) {
		check_text(&filter, in);
		PROMISE(filter.len);
		PROMISE((options & MQTT_SUB_QOS_MASK) < 3);
		nr++;
	}
	PROMISE(!left.len);
	PROMISE(nr && nr == subscribe->nr);
}

static void check_any(const struct any *any, const struct mqtt_str *in)
{
	switch (any->type) {
	case MQTT_CONNECT:
		check_connect(&any->connect, in);
		break;
	case MQTT_PUBLISH:
		check_publish(&any->publish, in);
		break;
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		PROMISE(any->ack.packet_id);
		check_props(&any->ack.props, in);
		break;
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		check_subscribe(&any->subscribe, any->type, in);
		break;
	case MQTT_DISCONNECT:
	case MQTT_AUTH:
		check_props(&any->disconnect.props, in);
		break;
	}
}

static u8 decode_body(const u8 *body, const struct mqtt_fixed *fixed,
		      u8 version, struct any *any)
{
	u32 len = fixed->remaining;

	switch (fixed->type) {
	case MQTT_CONNECT:
		return mqtt_decode_connect(body, len, &any->connect);
	case MQTT_PUBLISH:
		return mqtt_decode_publish(body, len, fixed->flags, version,
					   NULL, &any->publish);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		return mqtt_decode_ack(body, len, fixed->type, version,
				       &any->ack);
	case MQTT_SUBSCRIBE:
		return mqtt_decode_subscribe(body, len, version,
					     &any->subscribe);
	case MQTT_UNSUBSCRIBE:
		return mqtt_decode_unsubscribe(body, len, version,
					       &any->subscribe);
	case MQTT_PINGREQ:
		return len ? MQTT_RC_MALFORMED_PACKET : 0;
	case MQTT_DISCONNECT:
		return mqtt_decode_disconnect(body, len, version,
					      &any->disconnect);
	case MQTT_AUTH:
		return mqtt_decode_auth(body, len, &any->disconnect);
	default:
		return MQTT_RC_PROTOCOL_ERROR;
	}
}

u8 any_decode(const struct mqtt_str *packet, u8 version, struct any *any)
{
	struct mqtt_fixed fixed;
	u8 rc;

	/* what a decoder leaves alone must not look like a result */
	memset(any, 0xa5, sizeof(*any));
	if (mqtt_decode_fixed(packet->data, packet->len, &fixed) != 1 ||
	    fixed.remaining != packet->len - fixed.len)
		return MQTT_RC_MALFORMED_PACKET;
	any->type = fixed.type;
	rc = mqtt_decode_flags(&fixed, version);
	if (!rc)
		rc = decode_body(packet->data + fixed.len, &fixed, version,
				 any);
	PROMISE(!rc || rc >= MQTT_RC_UNSPECIFIED);
	if (!rc)
		check_any(any, packet);
	return rc;
}
