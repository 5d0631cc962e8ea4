// SPDX-License-Identifier: GPL-2.0
/*
 * Control packets to a client: structs to bytes. Each encoder measures its
 * packet, compares that with the room there is, and only then writes.
 */
#include "encode.h"
#include <linux/errno.h>
#include <linux/limits.h>
#include "wire.h"

static u8 *put_head(u8 *p, u8 type, u8 flags, u32 remaining)
{
	return mqtt_put_varint(mqtt_put_u8(p, type << 4 | flags), remaining);
}

/* the whole packet, or U32_MAX if the encoding cannot express it */
static u32 packet_len(u64 remaining)
{
	if (remaining > MQTT_REMAINING_MAX)
		return U32_MAX;
	return 1 + mqtt_varint_len(remaining) + remaining;
}

static bool fits(u32 len, size_t size)
{
	return len <= size && len <= MQTT_PACKET_MAX;
}

/* bytes of a string or binary property, 0 for one that is left out */
static u32 prop_len(const struct mqtt_str *value)
{
	return value->len && value->len <= MQTT_STRING_MAX ?
		3 + value->len : 0;
}

static u8 *put_prop(u8 *p, u8 id, const struct mqtt_str *value)
{
	if (!prop_len(value))
		return p;
	return mqtt_put_bytes(mqtt_put_u8(p, id), value);
}

int mqtt_rc_to_v3(u8 reason)
{
	switch (reason) {
	case MQTT_RC_SUCCESS:
		return MQTT_V3_ACCEPTED;
	case MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION:
		return MQTT_V3_UNACCEPTABLE_PROTOCOL;
	case MQTT_RC_CLIENT_IDENTIFIER_NOT_VALID:
		return MQTT_V3_IDENTIFIER_REJECTED;
	case MQTT_RC_SERVER_UNAVAILABLE:
	case MQTT_RC_SERVER_BUSY:
	case MQTT_RC_SERVER_SHUTTING_DOWN:
	case MQTT_RC_QUOTA_EXCEEDED:
	case MQTT_RC_USE_ANOTHER_SERVER:
	case MQTT_RC_SERVER_MOVED:
	case MQTT_RC_CONNECTION_RATE_EXCEEDED:
		return MQTT_V3_SERVER_UNAVAILABLE;
	case MQTT_RC_BAD_USERNAME_OR_PASSWORD:
		return MQTT_V3_BAD_USERNAME_OR_PASSWORD;
	case MQTT_RC_NOT_AUTHORIZED:
	case MQTT_RC_BANNED:
		return MQTT_V3_NOT_AUTHORIZED;
	default:
		return -1;
	}
}

static int encode_connack_v3(u8 *buf, size_t size,
			     const struct mqtt_connack *ack)
{
	int code = mqtt_rc_to_v3(ack->reason);
	bool present;
	u8 *p = buf;

	if (code < 0)
		return 0;
	if (!fits(4, size))
		return -EMSGSIZE;
	/* 3.1 has no flags here */
	present = !code && ack->session_present && ack->version == MQTT_V311;
	p = put_head(p, MQTT_CONNACK, 0, 2);
	p = mqtt_put_u8(p, present);
	mqtt_put_u8(p, code);
	return 4;
}

static bool says_receive_maximum(const struct mqtt_connack *ack)
{
	return ack->receive_maximum && ack->receive_maximum != U16_MAX;
}

static u32 connack_props_len(const struct mqtt_connack *ack)
{
	return (ack->has_session_expiry ? 5 : 0) +
	       (says_receive_maximum(ack) ? 3 : 0) +
	       (ack->maximum_qos < 2 ? 2 : 0) +
	       (ack->retain_unavailable ? 2 : 0) +
	       (ack->maximum_packet_size ? 5 : 0) +
	       (ack->topic_alias_maximum ? 3 : 0) +
	       (ack->has_server_keep_alive ? 3 : 0) +
	       prop_len(&ack->assigned_client_id) +
	       prop_len(&ack->response_info) +
	       prop_len(&ack->auth_method) +
	       prop_len(&ack->auth_data);
}

static u8 *put_connack_props(u8 *p, const struct mqtt_connack *ack)
{
	if (ack->has_session_expiry) {
		p = mqtt_put_u8(p, MQTT_PROP_SESSION_EXPIRY);
		p = mqtt_put_u32(p, ack->session_expiry);
	}
	if (says_receive_maximum(ack)) {
		p = mqtt_put_u8(p, MQTT_PROP_RECEIVE_MAXIMUM);
		p = mqtt_put_u16(p, ack->receive_maximum);
	}
	if (ack->maximum_qos < 2) {
		p = mqtt_put_u8(p, MQTT_PROP_MAXIMUM_QOS);
		p = mqtt_put_u8(p, ack->maximum_qos);
	}
	if (ack->retain_unavailable) {
		p = mqtt_put_u8(p, MQTT_PROP_RETAIN_AVAILABLE);
		p = mqtt_put_u8(p, 0);
	}
	if (ack->maximum_packet_size) {
		p = mqtt_put_u8(p, MQTT_PROP_MAXIMUM_PACKET_SIZE);
		p = mqtt_put_u32(p, ack->maximum_packet_size);
	}
	p = put_prop(p, MQTT_PROP_ASSIGNED_CLIENT_ID, &ack->assigned_client_id);
	if (ack->topic_alias_maximum) {
		p = mqtt_put_u8(p, MQTT_PROP_TOPIC_ALIAS_MAXIMUM);
		p = mqtt_put_u16(p, ack->topic_alias_maximum);
	}
	if (ack->has_server_keep_alive) {
		p = mqtt_put_u8(p, MQTT_PROP_SERVER_KEEP_ALIVE);
		p = mqtt_put_u16(p, ack->server_keep_alive);
	}
	p = put_prop(p, MQTT_PROP_RESPONSE_INFO, &ack->response_info);
	p = put_prop(p, MQTT_PROP_AUTH_METHOD, &ack->auth_method);
	return put_prop(p, MQTT_PROP_AUTH_DATA, &ack->auth_data);
}

/* @props bytes of properties behind @fields bytes: what remains */
static u32 with_props(u32 fields, u32 props)
{
	return fields + mqtt_varint_len(props) + props;
}

int mqtt_encode_connack(u8 *buf, size_t size, const struct mqtt_connack *ack)
{
	u32 props, reason, len;
	u8 *p = buf;

	if (ack->version != MQTT_V5)
		return encode_connack_v3(buf, size, ack);

	props = connack_props_len(ack);
	reason = prop_len(&ack->reason_string);
	len = packet_len(with_props(2, props + reason));
	if (reason && ack->client_maximum && len > ack->client_maximum) {
		reason = 0;
		len = packet_len(with_props(2, props));
	}
	/* [MQTT-3.1.2-24] */
	if (!fits(len, size) ||
	    (ack->client_maximum && len > ack->client_maximum))
		return -EMSGSIZE;

	p = put_head(p, MQTT_CONNACK, 0, with_props(2, props + reason));
	/* [MQTT-3.2.2-6] */
	p = mqtt_put_u8(p, !ack->reason && ack->session_present);
	p = mqtt_put_u8(p, ack->reason);
	p = mqtt_put_varint(p, props + reason);
	p = put_connack_props(p, ack);
	if (reason)
		put_prop(p, MQTT_PROP_REASON_STRING, &ack->reason_string);
	return len;
}

int mqtt_encode_ack(u8 *buf, size_t size, u8 type, u8 version, u16 packet_id,
		    u8 reason)
{
	bool say_reason = version == MQTT_V5 && reason;
	u32 remaining = say_reason ? 3 : 2;
	u8 *p = buf;

	if (!fits(2 + remaining, size))
		return -EMSGSIZE;
	/* [MQTT-3.6.1-1] */
	p = put_head(p, type, type == MQTT_PUBREL ? 2 : 0, remaining);
	p = mqtt_put_u16(p, packet_id);
	if (say_reason)
		mqtt_put_u8(p, reason);
	return 2 + remaining;
}

static u32 suback_codes(u8 type, u8 version, u32 nr)
{
	return version == MQTT_V5 || type == MQTT_SUBACK ? nr : 0;
}

u64 mqtt_suback_len(u8 type, u8 version, u32 nr)
{
	return packet_len(2ULL + (version == MQTT_V5) +
			  suback_codes(type, version, nr));
}

int mqtt_encode_suback(u8 *buf, size_t size, u8 type, u8 version,
		       u16 packet_id, const u8 *reasons, u32 nr)
{
	u32 codes = suback_codes(type, version, nr);
	u64 len = mqtt_suback_len(type, version, nr);
	bool v5 = version == MQTT_V5;
	u8 *p = buf;
	u32 i;

	if (!fits(len, size))
		return -EMSGSIZE;
	p = put_head(p, type, 0, 2 + v5 + codes);
	p = mqtt_put_u16(p, packet_id);
	if (v5)
		p = mqtt_put_varint(p, 0);
	for (i = 0; i < codes; i++)
		/* [MQTT-3.9.3-2 of 3.1.1]: one code for all failures */
		p = mqtt_put_u8(p, !v5 && reasons[i] >= MQTT_RC_UNSPECIFIED ?
				MQTT_RC_UNSPECIFIED : reasons[i]);
	return len;
}

int mqtt_encode_pingresp(u8 *buf, size_t size)
{
	if (!fits(2, size))
		return -EMSGSIZE;
	put_head(buf, MQTT_PINGRESP, 0, 0);
	return 2;
}

int mqtt_encode_disconnect(u8 *buf, size_t size, u8 reason,
			   const struct mqtt_str *reason_string,
			   u32 client_maximum)
{
	u32 props = reason_string ? prop_len(reason_string) : 0;
	u32 remaining = with_props(1, props);
	u8 *p = buf;

	if (client_maximum && packet_len(remaining) > client_maximum)
		props = 0;
	if (!props)
		remaining = reason ? 1 : 0;
	if (!fits(packet_len(remaining), size))
		return -EMSGSIZE;
	p = put_head(p, MQTT_DISCONNECT, 0, remaining);
	if (remaining)
		p = mqtt_put_u8(p, reason);
	if (props) {
		p = mqtt_put_varint(p, props);
		put_prop(p, MQTT_PROP_REASON_STRING, reason_string);
	}
	return packet_len(remaining);
}

int mqtt_encode_auth(u8 *buf, size_t size, u8 reason,
		     const struct mqtt_str *method,
		     const struct mqtt_str *data)
{
	u32 props = prop_len(method) + (data ? prop_len(data) : 0);
	u32 remaining = with_props(1, props);
	u8 *p = buf;

	if (!fits(packet_len(remaining), size))
		return -EMSGSIZE;
	p = put_head(p, MQTT_AUTH, 0, remaining);
	p = mqtt_put_u8(p, reason);
	p = mqtt_put_varint(p, props);
	p = put_prop(p, MQTT_PROP_AUTH_METHOD, method);
	if (data)
		put_prop(p, MQTT_PROP_AUTH_DATA, data);
	return packet_len(remaining);
}

/* the properties of a delivery; 64 bits, for @nr_sub_ids has no bound here */
static u64 publish_props_len(const struct mqtt_publish_out *out)
{
	u64 len = out->props.len;
	u32 i;

	if (out->topic_alias)
		len += 3;
	if (out->has_expiry)
		len += 5;
	for (i = 0; i < out->nr_sub_ids; i++)
		len += 1 + mqtt_varint_len(out->sub_ids[i]);
	return len;
}

/* what follows the fixed header and stands before the payload */
static u64 publish_vars_len(const struct mqtt_publish_out *out, u64 props)
{
	u64 len = 2ULL + out->topic.len;

	if (out->flags & MQTT_PUB_QOS_MASK)
		len += 2;
	if (out->version == MQTT_V5 && props <= MQTT_REMAINING_MAX)
		len += mqtt_varint_len(props);
	if (out->version == MQTT_V5)
		len += props;
	return len;
}

u32 mqtt_publish_head_len(const struct mqtt_publish_out *out, u32 *total)
{
	u64 props = out->version == MQTT_V5 ? publish_props_len(out) : 0;
	u64 vars = publish_vars_len(out, props);
	u32 len = packet_len(vars + out->payload_len);

	if (out->topic.len > MQTT_STRING_MAX)
		len = U32_MAX;
	if (total)
		*total = len;
	return len == U32_MAX ? 0 : len - out->payload_len;
}

int mqtt_encode_publish_head(u8 *buf, size_t size,
			     const struct mqtt_publish_out *out)
{
	u64 props = out->version == MQTT_V5 ? publish_props_len(out) : 0;
	u64 remaining = publish_vars_len(out, props) + out->payload_len;
	u32 len = packet_len(remaining);
	u8 *p = buf;
	u32 i;

	if (out->topic.len > MQTT_STRING_MAX || len == U32_MAX ||
	    !fits(len - out->payload_len, size))
		return -EMSGSIZE;
	p = put_head(p, MQTT_PUBLISH, out->flags, remaining);
	p = mqtt_put_bytes(p, &out->topic);
	if (out->flags & MQTT_PUB_QOS_MASK)
		p = mqtt_put_u16(p, out->packet_id);
	if (out->version != MQTT_V5)
		return p - buf;

	p = mqtt_put_varint(p, props);
	if (out->topic_alias) {
		p = mqtt_put_u8(p, MQTT_PROP_TOPIC_ALIAS);
		p = mqtt_put_u16(p, out->topic_alias);
	}
	if (out->has_expiry) {
		p = mqtt_put_u8(p, MQTT_PROP_MESSAGE_EXPIRY);
		p = mqtt_put_u32(p, out->message_expiry);
	}
	for (i = 0; i < out->nr_sub_ids; i++) {
		p = mqtt_put_u8(p, MQTT_PROP_SUBSCRIPTION_ID);
		p = mqtt_put_varint(p, out->sub_ids[i]);
	}
	return mqtt_put_raw(p, &out->props) - buf;
}
