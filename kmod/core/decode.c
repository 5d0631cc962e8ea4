// SPDX-License-Identifier: GPL-2.0
/*
 * Control packets from a client: bytes to structs.
 *
 * Malformed (0x81) is what does not follow the packet's layout, reserved bits
 * and bad UTF-8 included; a protocol error (0x82) is what can be read but must
 * not be said (section 1.2 and 4.13). Where the standard names a narrower
 * code, that one is answered.
 */
#include "packet.h"
#include <linux/errno.h>
#include <linux/minmax.h>
#include "topic.h"
#include "wire.h"

/* CONNECT flags [MQTT-3.1.2-3] and on */
#define CONNECT_RESERVED	0x01
#define CONNECT_CLEAN_START	0x02
#define CONNECT_WILL		0x04
#define CONNECT_WILL_QOS_SHIFT	3
#define CONNECT_WILL_QOS	0x18
#define CONNECT_WILL_RETAIN	0x20
#define CONNECT_PASSWORD	0x40
#define CONNECT_USERNAME	0x80

/* some bridges mark themselves with it; they try again without */
#define CONNECT_BRIDGE_LEVEL	0x80

static bool get_string(struct mqtt_str *in, struct mqtt_str *value)
{
	return mqtt_get_bytes(in, value) &&
	       mqtt_utf8_valid(value->data, value->len);
}

/* 0, or why not: malformed if it ends early, protocol error if it is zero */
static u8 get_packet_id(struct mqtt_str *in, u16 *packet_id)
{
	if (!mqtt_get_u16(in, packet_id))
		return MQTT_RC_MALFORMED_PACKET;
	return *packet_id ? 0 : MQTT_RC_PROTOCOL_ERROR;
}

static bool str_equals(const struct mqtt_str *s, const char *text)
{
	return s->len == strlen(text) && !memcmp(s->data, text, s->len);
}

int mqtt_decode_fixed(const u8 *buf, size_t len, struct mqtt_fixed *fixed)
{
	struct mqtt_str in;
	int ret;

	if (len < 2)
		return 0;
	in.data = buf + 1;
	in.len = min_t(size_t, len - 1, MQTT_FIXED_MAX);
	ret = mqtt_get_varint(&in, &fixed->remaining);
	if (ret <= 0)
		return ret ? -EBADMSG : 0;
	fixed->type = buf[0] >> 4;
	fixed->flags = buf[0] & 0x0f;
	fixed->len = in.data - buf;
	return 1;
}

u8 mqtt_decode_flags(const struct mqtt_fixed *fixed, u8 version)
{
	u8 flags = fixed->flags, qos;

	switch (fixed->type) {
	case MQTT_PUBLISH:
		qos = (flags & MQTT_PUB_QOS_MASK) >> MQTT_PUB_QOS_SHIFT;
		if (qos == 3 || (!qos && (flags & MQTT_PUB_DUP)))
			return MQTT_RC_MALFORMED_PACKET;
		return 0;
	case MQTT_PUBREL:
	case MQTT_SUBSCRIBE:
	case MQTT_UNSUBSCRIBE:
		/* in 3.1 these are repeated like a PUBLISH, marked as such */
		if (version == MQTT_V31)
			flags &= ~MQTT_PUB_DUP;
		return flags == 1 << MQTT_PUB_QOS_SHIFT ?
			0 : MQTT_RC_MALFORMED_PACKET;
	case MQTT_AUTH:
		if (version < MQTT_V5)
			return MQTT_RC_MALFORMED_PACKET;
		break;
	case 0:
		return MQTT_RC_MALFORMED_PACKET;
	}
	return flags ? MQTT_RC_MALFORMED_PACKET : 0;
}

/*
 * Protocol name and level. A level of 3 or 4 with the bridge mark is not taken
 * (it asks for more than the standard has), but answered in the format of 3.x,
 * where the bridge understands that it should come back without.
 */
static u8 connect_version(struct mqtt_str *in, u8 *version)
{
	struct mqtt_str name;
	u8 level;

	*version = 0;
	if (!mqtt_get_bytes(in, &name))
		return MQTT_RC_MALFORMED_PACKET;
	if (!str_equals(&name, "MQTT") && !str_equals(&name, "MQIsdp"))
		return MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION;
	if (!mqtt_get_u8(in, &level))
		return MQTT_RC_MALFORMED_PACKET;

	if (name.len == 4 && (level == MQTT_V311 || level == MQTT_V5)) {
		*version = level;
		return 0;
	}
	if (name.len == 6 && level == MQTT_V31) {
		*version = level;
		return 0;
	}
	*version = (level & ~CONNECT_BRIDGE_LEVEL) > MQTT_V5 ?
		MQTT_V5 : MQTT_V311;
	return MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION;
}

static u8 connect_flags(u8 flags, struct mqtt_connect *connect)
{
	u8 qos = (flags & CONNECT_WILL_QOS) >> CONNECT_WILL_QOS_SHIFT;

	connect->clean_start = flags & CONNECT_CLEAN_START;
	connect->has_will = flags & CONNECT_WILL;
	connect->has_username = flags & CONNECT_USERNAME;
	connect->has_password = flags & CONNECT_PASSWORD;

	if (connect->has_will) {
		if (qos == 3)
			return MQTT_RC_MALFORMED_PACKET;
		connect->will_qos = qos;
		connect->will_retain = flags & CONNECT_WILL_RETAIN;
	}
	/* a password alone came with 5.0 [MQTT-3.1.2-20 of 3.1.1] */
	if (connect->has_password && !connect->has_username &&
	    connect->version != MQTT_V5)
		return MQTT_RC_MALFORMED_PACKET;
	/* 3.1 has the reader ignore bits without a use */
	if (connect->version == MQTT_V31)
		return 0;
	if (flags & CONNECT_RESERVED)
		return MQTT_RC_MALFORMED_PACKET;
	/* [MQTT-3.1.2-11] [MQTT-3.1.2-13] */
	if (!connect->has_will &&
	    (flags & (CONNECT_WILL_QOS | CONNECT_WILL_RETAIN)))
		return MQTT_RC_MALFORMED_PACKET;
	return 0;
}

static u8 connect_will(struct mqtt_str *in, struct mqtt_connect *connect)
{
	u8 rc;

	if (connect->version == MQTT_V5) {
		rc = mqtt_props_decode(in, 0, &connect->will_props);
		if (rc)
			return rc;
	}
	if (!get_string(in, &connect->will_topic) ||
	    !mqtt_get_bytes(in, &connect->will_payload))
		return MQTT_RC_MALFORMED_PACKET;
	return mqtt_topic_name_valid(&connect->will_topic) ?
		0 : MQTT_RC_TOPIC_NAME_INVALID;
}

/* [MQTT-3.1.3-1]: the fields of the payload in their order */
static u8 connect_payload(struct mqtt_str *in, struct mqtt_connect *connect)
{
	u8 rc;

	if (!get_string(in, &connect->client_id))
		return MQTT_RC_MALFORMED_PACKET;
	if (connect->has_will) {
		rc = connect_will(in, connect);
		if (rc)
			return rc;
	}
	if (connect->has_username && !get_string(in, &connect->username))
		return MQTT_RC_MALFORMED_PACKET;
	if (connect->has_password && !mqtt_get_bytes(in, &connect->password))
		return MQTT_RC_MALFORMED_PACKET;
	return in->len ? MQTT_RC_MALFORMED_PACKET : 0;
}

u8 mqtt_decode_connect(const u8 *body, u32 len, struct mqtt_connect *connect)
{
	struct mqtt_str in = { body, len };
	u8 flags, rc;

	memset(connect, 0, sizeof(*connect));
	mqtt_props_init(&connect->props);
	mqtt_props_init(&connect->will_props);
	rc = connect_version(&in, &connect->version);
	if (rc)
		return rc;

	if (!mqtt_get_u8(&in, &flags))
		return MQTT_RC_MALFORMED_PACKET;
	rc = connect_flags(flags, connect);
	if (rc)
		return rc;
	if (!mqtt_get_u16(&in, &connect->keep_alive))
		return MQTT_RC_MALFORMED_PACKET;
	if (connect->version == MQTT_V5) {
		rc = mqtt_props_decode(&in, MQTT_CONNECT, &connect->props);
		if (rc)
			return rc;
	}
	return connect_payload(&in, connect);
}

/* Topic and packet identifier; levels of a topic that is known. */
static u8 publish_head(struct mqtt_str *in,
		       const struct mqtt_known_topic *known,
		       struct mqtt_publish *publish)
{
	struct mqtt_str *topic = &publish->topic;

	if (!mqtt_get_bytes(in, topic))
		return MQTT_RC_MALFORMED_PACKET;
	publish->known = known && topic->len == known->name.len &&
			 !memcmp(topic->data, known->name.data, topic->len);
	if (publish->known)
		publish->levels = known->levels;
	else if (!mqtt_utf8_valid(topic->data, topic->len))
		return MQTT_RC_MALFORMED_PACKET;
	publish->packet_id = 0;
	return publish->qos ? get_packet_id(in, &publish->packet_id) : 0;
}

u8 mqtt_decode_publish(const u8 *body, u32 len, u8 flags, u8 version,
		       const struct mqtt_known_topic *known,
		       struct mqtt_publish *publish)
{
	struct mqtt_str in = { body, len };
	u8 rc;

	publish->qos = (flags & MQTT_PUB_QOS_MASK) >> MQTT_PUB_QOS_SHIFT;
	publish->dup = flags & MQTT_PUB_DUP;
	publish->retain = flags & MQTT_PUB_RETAIN;
	publish->version = version;
	publish->body = in;
	if (publish->qos == 3)
		return MQTT_RC_MALFORMED_PACKET;

	rc = publish_head(&in, known, publish);
	if (rc)
		return rc;
	if (version == MQTT_V5) {
		rc = mqtt_props_decode(&in, MQTT_PUBLISH, &publish->props);
		if (rc)
			return rc;
	} else {
		mqtt_props_init(&publish->props);
	}
	publish->payload = in;

	if (publish->known)
		return 0;
	publish->levels = mqtt_topic_name_levels(&publish->topic);
	if (publish->topic.len)
		return publish->levels ? 0 : MQTT_RC_TOPIC_NAME_INVALID;
	/* an alias can stand for a topic, nothing else can [MQTT-4.7.3-1] */
	return mqtt_props_has(&publish->props, MQTT_PROP_TOPIC_ALIAS) ?
		0 : MQTT_RC_PROTOCOL_ERROR;
}

/* the reason codes that a client may send in @type [MQTT-3.4.2-1] and alike */
static bool reason_allowed(u8 type, u8 reason)
{
	switch (reason) {
	case MQTT_RC_SUCCESS:
		return type != MQTT_AUTH;
	case MQTT_RC_DISCONNECT_WITH_WILL:
	case MQTT_RC_MALFORMED_PACKET:
	case MQTT_RC_PROTOCOL_ERROR:
	case MQTT_RC_RECEIVE_MAXIMUM_EXCEEDED:
	case MQTT_RC_TOPIC_ALIAS_INVALID:
	case MQTT_RC_PACKET_TOO_LARGE:
	case MQTT_RC_MESSAGE_RATE_TOO_HIGH:
	case MQTT_RC_ADMINISTRATIVE_ACTION:
		return type == MQTT_DISCONNECT;
	case MQTT_RC_UNSPECIFIED:
	case MQTT_RC_IMPLEMENTATION_SPECIFIC:
	case MQTT_RC_TOPIC_NAME_INVALID:
	case MQTT_RC_QUOTA_EXCEEDED:
	case MQTT_RC_PAYLOAD_FORMAT_INVALID:
		return type == MQTT_DISCONNECT || type == MQTT_PUBACK ||
		       type == MQTT_PUBREC;
	case MQTT_RC_NOT_AUTHORIZED:
	case MQTT_RC_PACKET_ID_IN_USE:
		return type == MQTT_PUBACK || type == MQTT_PUBREC;
	case MQTT_RC_PACKET_ID_NOT_FOUND:
		return type == MQTT_PUBREL || type == MQTT_PUBCOMP;
	case MQTT_RC_CONTINUE_AUTHENTICATION:
	case MQTT_RC_REAUTHENTICATE:
		return type == MQTT_AUTH;
	default:
		return false;
	}
}

u8 mqtt_decode_ack(const u8 *body, u32 len, u8 type, u8 version,
		   struct mqtt_ack *ack)
{
	struct mqtt_str in = { body, len };
	u8 rc;

	ack->reason = MQTT_RC_SUCCESS;
	mqtt_props_init(&ack->props);
	rc = get_packet_id(&in, &ack->packet_id);
	if (rc || !in.len)
		return rc;
	if (version != MQTT_V5)
		return MQTT_RC_MALFORMED_PACKET;

	if (mqtt_get_u8(&in, &ack->reason) &&
	    !reason_allowed(type, ack->reason))
		return MQTT_RC_PROTOCOL_ERROR;
	if (!in.len)
		return 0;
	rc = mqtt_props_decode(&in, type, &ack->props);
	if (rc)
		return rc;
	return in.len ? MQTT_RC_MALFORMED_PACKET : 0;
}

static u8 check_options(const struct mqtt_str *filter, u8 options, u8 version)
{
	struct mqtt_str group, rest;

	/* [MQTT-3.8.3-5]; in 3.x all but the QoS is reserved */
	if ((options & MQTT_SUB_RESERVED_MASK) ||
	    (version != MQTT_V5 && (options & ~MQTT_SUB_QOS_MASK)))
		return MQTT_RC_MALFORMED_PACKET;
	/* QoS 3 and retain handling 3 are protocol errors (3.8.3.1) */
	if ((options & MQTT_SUB_QOS_MASK) == 3 ||
	    (options & MQTT_SUB_RETAIN_HANDLING_MASK) ==
	    MQTT_SUB_RETAIN_HANDLING_MASK)
		return MQTT_RC_PROTOCOL_ERROR;
	/* [MQTT-3.8.3-4] */
	if ((options & MQTT_SUB_NO_LOCAL) &&
	    mqtt_share_parse(filter, &group, &rest) == 1)
		return MQTT_RC_PROTOCOL_ERROR;
	return 0;
}

/*
 * An empty filter can be read, but must not be [MQTT-4.7.3-1]: that makes it
 * a protocol error. Wildcards in the wrong place fail their filter alone, so
 * they are for those who write the SUBACK.
 */
static u8 decode_filters(struct mqtt_str in, u8 type, u8 version, u32 *nr)
{
	struct mqtt_str filter;
	u8 options, rc;

	for (*nr = 0; in.len; (*nr)++) {
		if (!get_string(&in, &filter))
			return MQTT_RC_MALFORMED_PACKET;
		if (!filter.len)
			return MQTT_RC_PROTOCOL_ERROR;
		if (type != MQTT_SUBSCRIBE)
			continue;
		if (!mqtt_get_u8(&in, &options))
			return MQTT_RC_MALFORMED_PACKET;
		rc = check_options(&filter, options, version);
		if (rc)
			return rc;
	}
	/* [MQTT-3.8.3-2] [MQTT-3.10.3-2] */
	return *nr ? 0 : MQTT_RC_PROTOCOL_ERROR;
}

static u8 decode_subscribe(const u8 *body, u32 len, u8 type, u8 version,
			   struct mqtt_subscribe *subscribe)
{
	struct mqtt_str in = { body, len };
	u8 rc;

	rc = get_packet_id(&in, &subscribe->packet_id);
	if (rc)
		return rc;
	if (version == MQTT_V5) {
		rc = mqtt_props_decode(&in, type, &subscribe->props);
		if (rc)
			return rc;
	} else {
		mqtt_props_init(&subscribe->props);
	}
	subscribe->filters = in;
	return decode_filters(in, type, version, &subscribe->nr);
}

u8 mqtt_decode_subscribe(const u8 *body, u32 len, u8 version,
			 struct mqtt_subscribe *subscribe)
{
	return decode_subscribe(body, len, MQTT_SUBSCRIBE, version, subscribe);
}

u8 mqtt_decode_unsubscribe(const u8 *body, u32 len, u8 version,
			   struct mqtt_subscribe *unsubscribe)
{
	return decode_subscribe(body, len, MQTT_UNSUBSCRIBE, version,
				unsubscribe);
}

bool mqtt_subscribe_next(struct mqtt_str *filters, u8 *options,
			 struct mqtt_str *filter)
{
	return mqtt_get_bytes(filters, filter) &&
	       (!options || mqtt_get_u8(filters, options));
}

u8 mqtt_decode_disconnect(const u8 *body, u32 len, u8 version,
			  struct mqtt_disconnect *disconnect)
{
	struct mqtt_str in = { body, len };
	u8 rc;

	disconnect->reason = MQTT_RC_SUCCESS;
	mqtt_props_init(&disconnect->props);
	if (!len)
		return 0;
	if (version != MQTT_V5)
		return MQTT_RC_MALFORMED_PACKET;

	if (mqtt_get_u8(&in, &disconnect->reason) &&
	    !reason_allowed(MQTT_DISCONNECT, disconnect->reason))
		return MQTT_RC_PROTOCOL_ERROR;
	if (!in.len)
		return 0;
	rc = mqtt_props_decode(&in, MQTT_DISCONNECT, &disconnect->props);
	if (rc)
		return rc;
	return in.len ? MQTT_RC_MALFORMED_PACKET : 0;
}

u8 mqtt_decode_auth(const u8 *body, u32 len, struct mqtt_disconnect *auth)
{
	struct mqtt_str in = { body, len };
	u8 rc;

	auth->reason = MQTT_RC_SUCCESS;
	mqtt_props_init(&auth->props);
	/* the short form says success, which is for the server to say */
	if (!mqtt_get_u8(&in, &auth->reason) ||
	    !reason_allowed(MQTT_AUTH, auth->reason))
		return MQTT_RC_PROTOCOL_ERROR;
	rc = mqtt_props_decode(&in, MQTT_AUTH, &auth->props);
	if (rc)
		return rc;
	if (in.len)
		return MQTT_RC_MALFORMED_PACKET;
	return mqtt_props_has(&auth->props, MQTT_PROP_AUTH_METHOD) ?
		0 : MQTT_RC_PROTOCOL_ERROR;
}
