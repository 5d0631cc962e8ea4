// SPDX-License-Identifier: GPL-2.0
/* The properties of MQTT 5.0 (section 2.2.2), driven by one table. */
#include "property.h"
#include <linux/kernel.h>
#include <linux/stddef.h>
#include "topic.h"
#include "wire.h"

/* data type on the wire; the bool ones are bytes of 0 or 1 */
enum prop_type {
	PROP_UNKNOWN,
	PROP_BOOL,
	PROP_U16,
	PROP_U32,
	PROP_VARINT,
	PROP_STRING,
	PROP_BINARY,
	PROP_PAIR,
};

enum prop_flags {
	PROP_NONZERO = 1,
	PROP_MANY = 2,
};

/**
 * struct prop_rule - what the standard says about one property
 * @type: enum prop_type
 * @flags: enum prop_flags
 * @offset: where its value goes in struct mqtt_props
 * @where: packet types that may hold it, a bit each; bit 0: the will
 * @client: packet types in which a client may send it
 */
struct prop_rule {
	u8 type;
	u8 flags;
	u16 offset;
	u16 where;
	u16 client;
};

#define IN(packet)	(1U << MQTT_##packet)
#define IN_WILL		1U
#define IN_MESSAGE	(IN(PUBLISH) | IN_WILL)
#define IN_ACKS		(IN(PUBACK) | IN(PUBREC) | IN(PUBREL) | IN(PUBCOMP))
#define IN_AUTH		(IN(CONNECT) | IN(CONNACK) | IN(AUTH))
#define IN_REASON	(IN(CONNACK) | IN_ACKS | IN(SUBACK) | IN(UNSUBACK) | \
			 IN(DISCONNECT) | IN(AUTH))
#define IN_ANY		(IN_REASON | IN_MESSAGE | IN(CONNECT) | \
			 IN(SUBSCRIBE) | IN(UNSUBSCRIBE))

#define IN_CLIENTS	(IN(CONNECT) | IN_MESSAGE | IN_ACKS | IN(SUBSCRIBE) | \
			 IN(UNSUBSCRIBE) | IN(DISCONNECT) | IN(AUTH))

#define AT(field)	offsetof(struct mqtt_props, field)
#define RULE(type, flags, field, where)					\
	{ PROP_##type, flags, AT(field), where, IN_CLIENTS }
/* sent by servers only */
#define SERVER(type, where)	{ PROP_##type, 0, 0, where, 0 }

static const struct prop_rule prop_rules[] = {
	[MQTT_PROP_PAYLOAD_FORMAT] =
		RULE(BOOL, 0, payload_format, IN_MESSAGE),
	[MQTT_PROP_MESSAGE_EXPIRY] =
		RULE(U32, 0, message_expiry, IN_MESSAGE),
	[MQTT_PROP_CONTENT_TYPE] =
		RULE(STRING, 0, content_type, IN_MESSAGE),
	[MQTT_PROP_RESPONSE_TOPIC] =
		RULE(STRING, 0, response_topic, IN_MESSAGE),
	[MQTT_PROP_CORRELATION_DATA] =
		RULE(BINARY, 0, correlation_data, IN_MESSAGE),
	/* in a PUBLISH it is for servers to say [MQTT-3.3.4-6] */
	[MQTT_PROP_SUBSCRIPTION_ID] = {
		PROP_VARINT, PROP_NONZERO, AT(subscription_id),
		IN(PUBLISH) | IN(SUBSCRIBE), IN(SUBSCRIBE)
	},
	[MQTT_PROP_SESSION_EXPIRY] =
		RULE(U32, 0, session_expiry,
		     IN(CONNECT) | IN(CONNACK) | IN(DISCONNECT)),
	[MQTT_PROP_ASSIGNED_CLIENT_ID] = SERVER(STRING, IN(CONNACK)),
	[MQTT_PROP_SERVER_KEEP_ALIVE] = SERVER(U16, IN(CONNACK)),
	[MQTT_PROP_AUTH_METHOD] = RULE(STRING, 0, auth_method, IN_AUTH),
	[MQTT_PROP_AUTH_DATA] = RULE(BINARY, 0, auth_data, IN_AUTH),
	[MQTT_PROP_REQUEST_PROBLEM_INFO] =
		RULE(BOOL, 0, request_problem_info, IN(CONNECT)),
	[MQTT_PROP_WILL_DELAY] = RULE(U32, 0, will_delay, IN_WILL),
	[MQTT_PROP_REQUEST_RESPONSE_INFO] =
		RULE(BOOL, 0, request_response_info, IN(CONNECT)),
	[MQTT_PROP_RESPONSE_INFO] = SERVER(STRING, IN(CONNACK)),
	[MQTT_PROP_SERVER_REFERENCE] =
		SERVER(STRING, IN(CONNACK) | IN(DISCONNECT)),
	[MQTT_PROP_REASON_STRING] = RULE(STRING, 0, reason_string, IN_REASON),
	[MQTT_PROP_RECEIVE_MAXIMUM] =
		RULE(U16, PROP_NONZERO, receive_maximum,
		     IN(CONNECT) | IN(CONNACK)),
	[MQTT_PROP_TOPIC_ALIAS_MAXIMUM] =
		RULE(U16, 0, topic_alias_maximum, IN(CONNECT) | IN(CONNACK)),
	[MQTT_PROP_TOPIC_ALIAS] =
		RULE(U16, PROP_NONZERO, topic_alias, IN(PUBLISH)),
	[MQTT_PROP_MAXIMUM_QOS] = SERVER(BOOL, IN(CONNACK)),
	[MQTT_PROP_RETAIN_AVAILABLE] = SERVER(BOOL, IN(CONNACK)),
	[MQTT_PROP_USER_PROPERTY] = RULE(PAIR, PROP_MANY, nr_user, IN_ANY),
	[MQTT_PROP_MAXIMUM_PACKET_SIZE] =
		RULE(U32, PROP_NONZERO, maximum_packet_size,
		     IN(CONNECT) | IN(CONNACK)),
	[MQTT_PROP_WILDCARD_AVAILABLE] = SERVER(BOOL, IN(CONNACK)),
	[MQTT_PROP_SUBSCRIPTION_ID_AVAILABLE] = SERVER(BOOL, IN(CONNACK)),
	[MQTT_PROP_SHARED_AVAILABLE] = SERVER(BOOL, IN(CONNACK)),
};

/**
 * struct prop_value - a property's value
 * @number: for the types that are numbers
 * @bytes: for strings and binary data; a pair's value
 * @name: a pair's name
 */
struct prop_value {
	u32 number;
	struct mqtt_str bytes;
	struct mqtt_str name;
};

static const struct prop_rule *prop_find(u8 id)
{
	/* all identifiers are below 128: one byte, whatever their type says */
	if (id >= ARRAY_SIZE(prop_rules) ||
	    prop_rules[id].type == PROP_UNKNOWN)
		return NULL;
	return &prop_rules[id];
}

/* false where the bytes do not hold a value of that type */
static bool prop_read(struct mqtt_str *in, u8 type, struct prop_value *value)
{
	u16 u16_value = 0;
	u8 u8_value = 0;
	bool ok;

	switch (type) {
	case PROP_BOOL:
		ok = mqtt_get_u8(in, &u8_value);
		value->number = u8_value;
		return ok;
	case PROP_U16:
		ok = mqtt_get_u16(in, &u16_value);
		value->number = u16_value;
		return ok;
	case PROP_U32:
		return mqtt_get_u32(in, &value->number);
	case PROP_VARINT:
		return mqtt_get_varint(in, &value->number) == 1;
	case PROP_PAIR:
		return mqtt_get_bytes(in, &value->name) &&
		       mqtt_get_bytes(in, &value->bytes);
	default:
		return mqtt_get_bytes(in, &value->bytes);
	}
}

static u8 prop_check(u8 id, const struct prop_rule *rule,
		     const struct prop_value *value)
{
	switch (rule->type) {
	case PROP_PAIR:
		if (!mqtt_utf8_valid(value->name.data, value->name.len))
			return MQTT_RC_MALFORMED_PACKET;
		fallthrough;
	case PROP_STRING:
		if (!mqtt_utf8_valid(value->bytes.data, value->bytes.len))
			return MQTT_RC_MALFORMED_PACKET;
		/* [MQTT-3.3.2-14] */
		if (id == MQTT_PROP_RESPONSE_TOPIC &&
		    !mqtt_topic_name_valid(&value->bytes))
			return MQTT_RC_PROTOCOL_ERROR;
		return 0;
	case PROP_BINARY:
		return 0;
	case PROP_BOOL:
		return value->number > 1 ? MQTT_RC_PROTOCOL_ERROR : 0;
	default:
		if (value->number || !(rule->flags & PROP_NONZERO))
			return 0;
		return id == MQTT_PROP_TOPIC_ALIAS ?
			MQTT_RC_TOPIC_ALIAS_INVALID : MQTT_RC_PROTOCOL_ERROR;
	}
}

static void prop_store(struct mqtt_props *props, const struct prop_rule *rule,
		       const struct prop_value *value)
{
	void *field = (u8 *)props + rule->offset;

	switch (rule->type) {
	case PROP_BOOL:
		*(u8 *)field = value->number;
		break;
	case PROP_U16:
		*(u16 *)field = value->number;
		break;
	case PROP_U32:
	case PROP_VARINT:
		*(u32 *)field = value->number;
		break;
	case PROP_STRING:
	case PROP_BINARY:
		*(struct mqtt_str *)field = value->bytes;
		break;
	case PROP_PAIR:
		props->nr_user++;
		break;
	}
}

void mqtt_props_init(struct mqtt_props *props)
{
	memset(props, 0, sizeof(*props));
	props->receive_maximum = 65535;
	props->request_problem_info = 1;
}

u8 mqtt_props_decode(struct mqtt_str *buf, u8 type, struct mqtt_props *props)
{
	const struct prop_rule *rule;
	struct prop_value value;
	struct mqtt_str in;
	u8 id = 0, rc;

	mqtt_props_init(props);
	if (mqtt_get_varint(buf, &in.len) != 1 || in.len > buf->len)
		return MQTT_RC_MALFORMED_PACKET;
	in.data = buf->data;
	mqtt_skip(buf, in.len);
	props->raw = in;

	while (mqtt_get_u8(&in, &id)) {
		rule = prop_find(id);
		if (!rule || !(rule->where & (1U << type)))
			return MQTT_RC_MALFORMED_PACKET;
		if (!(rule->client & (1U << type)))
			return MQTT_RC_PROTOCOL_ERROR;
		if (mqtt_props_has(props, id) && !(rule->flags & PROP_MANY))
			return MQTT_RC_PROTOCOL_ERROR;
		if (!prop_read(&in, rule->type, &value))
			return MQTT_RC_MALFORMED_PACKET;
		rc = prop_check(id, rule, &value);
		if (rc)
			return rc;
		props->present |= 1ULL << id;
		prop_store(props, rule, &value);
	}

	if (mqtt_props_has(props, MQTT_PROP_AUTH_DATA) &&
	    !mqtt_props_has(props, MQTT_PROP_AUTH_METHOD))
		return MQTT_RC_PROTOCOL_ERROR;
	return 0;
}

/* what the broker says anew in each delivery */
static bool prop_is_ours(u8 id)
{
	return id == MQTT_PROP_TOPIC_ALIAS || id == MQTT_PROP_MESSAGE_EXPIRY ||
	       id == MQTT_PROP_SUBSCRIPTION_ID || id == MQTT_PROP_WILL_DELAY;
}

u32 mqtt_props_forward(const struct mqtt_str *raw, u8 *dst)
{
	const struct prop_rule *rule;
	struct mqtt_str in = *raw;
	struct prop_value value;
	const u8 *start;
	u32 n, sum = 0;
	u8 id = 0;

	for (start = in.data; mqtt_get_u8(&in, &id); start = in.data) {
		rule = prop_find(id);
		if (!rule || !prop_read(&in, rule->type, &value))
			break;
		if (prop_is_ours(id))
			continue;
		n = in.data - start;
		if (dst)
			memcpy(dst + sum, start, n);
		sum += n;
	}
	return sum;
}
