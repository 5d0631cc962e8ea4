/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control packets as views into the bytes they came in: nothing is copied,
 * nothing outlives the buffer. A decoder returns 0 or the reason code that a
 * 5.0 peer gets; a 3.x connection is closed for the same findings.
 */
#ifndef MQTT_PACKET_H
#define MQTT_PACKET_H

#include "mqtt.h"

/** struct mqtt_str - bytes in somebody else's buffer, not NUL-terminated */
struct mqtt_str {
	const u8 *data;
	u32 len;
};

/**
 * struct mqtt_fixed - a decoded fixed header
 * @type: enum mqtt_type, 0 is possible (reserved) and left to the caller
 * @flags: lower nibble of the first byte
 * @len: bytes of the fixed header itself (2 to 5)
 * @remaining: bytes that follow it
 */
struct mqtt_fixed {
	u8 type;
	u8 flags;
	u8 len;
	u32 remaining;
};

/**
 * struct mqtt_props - properties of one packet, checked and taken apart
 * @present: bit per property identifier (BIT_ULL(enum mqtt_prop))
 * @raw: the property bytes as received, without their length
 * @nr_user: user properties in @raw
 * @request_problem_info: 1 when absent (its default in CONNECT)
 *
 * Fields whose bit is not set in @present hold the standard's default where
 * there is one, else zero.
 */
struct mqtt_props {
	u64 present;
	struct mqtt_str raw;
	struct mqtt_str content_type;
	struct mqtt_str response_topic;
	struct mqtt_str correlation_data;
	struct mqtt_str auth_method;
	struct mqtt_str auth_data;
	struct mqtt_str reason_string;
	u32 session_expiry;	/* seconds */
	u32 will_delay;		/* seconds */
	u32 message_expiry;	/* seconds */
	u32 maximum_packet_size; /* bytes, 0: none given */
	u32 subscription_id;
	u32 nr_user;
	u16 receive_maximum;	/* default 65535 */
	u16 topic_alias_maximum;
	u16 topic_alias;
	u8 payload_format;
	u8 request_problem_info;
	u8 request_response_info;
};

static inline bool mqtt_props_has(const struct mqtt_props *p, enum mqtt_prop id)
{
	return p->present & (1ULL << id);
}

/** struct mqtt_connect - CONNECT; pointers into the packet */
struct mqtt_connect {
	u8 version;		/* enum mqtt_version */
	bool clean_start;
	bool has_will;
	bool has_username;
	bool has_password;
	u8 will_qos;
	bool will_retain;
	u16 keep_alive;		/* seconds, 0: none */
	struct mqtt_str client_id;
	struct mqtt_str will_topic;
	struct mqtt_str will_payload;
	struct mqtt_str username;
	struct mqtt_str password;
	struct mqtt_props props;
	struct mqtt_props will_props;
};

/** struct mqtt_publish - PUBLISH; @packet_id is 0 at QoS 0 */
struct mqtt_publish {
	u8 qos;
	bool dup;
	bool retain;
	u16 packet_id;
	struct mqtt_str topic;	/* empty with a topic alias only */
	struct mqtt_str payload;
	struct mqtt_props props;
};

/** struct mqtt_ack - PUBACK, PUBREC, PUBREL or PUBCOMP */
struct mqtt_ack {
	u16 packet_id;
	u8 reason;
	struct mqtt_props props;
};

/**
 * struct mqtt_subscribe - SUBSCRIBE or UNSUBSCRIBE
 * @nr: topic filters in @filters, at least one
 * @filters: the payload, walked by mqtt_subscribe_next()
 */
struct mqtt_subscribe {
	u16 packet_id;
	u32 nr;
	struct mqtt_str filters;
	struct mqtt_props props;
};

/** struct mqtt_disconnect - DISCONNECT or AUTH: a reason and properties */
struct mqtt_disconnect {
	u8 reason;
	struct mqtt_props props;
};

/* decode.c: pure, any context */

/**
 * mqtt_decode_fixed() - read a fixed header
 * @buf: received bytes
 * @len: how many there are
 * @fixed: result
 *
 * Return: 1 when complete, 0 when more bytes are needed, -EBADMSG when the
 * remaining length takes more than four bytes or more bytes than necessary
 * [MQTT-1.5.5-1].
 */
int mqtt_decode_fixed(const u8 *buf, size_t len, struct mqtt_fixed *fixed);

/**
 * mqtt_decode_flags() - are the reserved flag bits of @fixed as they must be
 *
 * Return: 0 or MQTT_RC_MALFORMED_PACKET [MQTT-2.1.3-1]; a type of 0, or AUTH
 * with @version below 5, is malformed as well. PUBLISH with QoS 3 or (QoS 0
 * and DUP) is malformed [MQTT-3.3.1-4] [MQTT-3.3.1-2]. Of 3.1, PUBREL,
 * SUBSCRIBE and UNSUBSCRIBE may have DUP.
 */
u8 mqtt_decode_flags(const struct mqtt_fixed *fixed, u8 version);

/*
 * The bodies: @body/@len is what follows the fixed header, complete. Each
 * returns 0 or a reason code of 0x80 and above; on failure the result is not
 * to be used, except connect->version, which says in which format to answer
 * (0: not even that is known, just close). Strings are checked for UTF-8,
 * topic names and filters for their form.
 *
 * mqtt_decode_connect() answers MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION for a
 * known protocol name with another level: @connect->version is then MQTT_V5
 * for a level above 5 and MQTT_V311 for any other, 0x83 and 0x84 (bridges)
 * included; for an unknown name it is 0. It does not judge the client
 * identifier. A will topic that is empty or has wildcards is
 * MQTT_RC_TOPIC_NAME_INVALID.
 *
 * mqtt_decode_publish(): wildcards in the topic are
 * MQTT_RC_TOPIC_NAME_INVALID, no topic and no alias MQTT_RC_PROTOCOL_ERROR.
 * Whether the payload is what its format says is not looked at.
 *
 * mqtt_decode_subscribe() refuses empty filters, retain handling 3 and no
 * local on a shared subscription (MQTT_RC_PROTOCOL_ERROR), but leaves the form
 * of each filter to mqtt_topic_filter_valid() and mqtt_share_parse().
 */
u8 mqtt_decode_connect(const u8 *body, u32 len, struct mqtt_connect *connect);
u8 mqtt_decode_publish(const u8 *body, u32 len, u8 flags, u8 version,
		       struct mqtt_publish *publish);
u8 mqtt_decode_ack(const u8 *body, u32 len, u8 type, u8 version,
		   struct mqtt_ack *ack);
u8 mqtt_decode_subscribe(const u8 *body, u32 len, u8 version,
			 struct mqtt_subscribe *subscribe);
u8 mqtt_decode_unsubscribe(const u8 *body, u32 len, u8 version,
			   struct mqtt_subscribe *unsubscribe);
u8 mqtt_decode_disconnect(const u8 *body, u32 len, u8 version,
			  struct mqtt_disconnect *disconnect);
u8 mqtt_decode_auth(const u8 *body, u32 len, struct mqtt_disconnect *auth);

/**
 * mqtt_subscribe_next() - take the next topic filter
 * @filters: what is left of a decoded (so: checked) payload, advanced
 * @options: subscription options, or NULL for UNSUBSCRIBE
 * @filter: the filter, as on the wire (with $share/...)
 *
 * Return: false at the end.
 */
bool mqtt_subscribe_next(struct mqtt_str *filters, u8 *options,
			 struct mqtt_str *filter);

/* property.c */

/* No property present, each field at its default; all a 3.x packet has. */
void mqtt_props_init(struct mqtt_props *props);

/**
 * mqtt_props_decode() - check and take apart the properties of a packet
 * @buf: cursor at the property length, advanced past the properties
 * @type: enum mqtt_type, or 0 for will properties
 * @props: result
 *
 * One table says for each identifier its type, where it may stand and whether
 * twice. Unknown identifiers, those that do not belong into such a packet
 * (section 2.2.2.2) and values that do not fit are MQTT_RC_MALFORMED_PACKET.
 * Values out of range (receive maximum 0, maximum packet size 0, subscription
 * id 0, booleans above 1), a property twice, one that only servers may send
 * in such a packet [MQTT-3.3.4-6], a response topic that is no topic name
 * [MQTT-3.3.2-14] and auth_data without auth_method are
 * MQTT_RC_PROTOCOL_ERROR, topic alias 0 is MQTT_RC_TOPIC_ALIAS_INVALID
 * [MQTT-3.3.2-8].
 */
u8 mqtt_props_decode(struct mqtt_str *buf, u8 type, struct mqtt_props *props);

/**
 * mqtt_props_forward() - the properties of a PUBLISH that go on to subscribers
 * @raw: checked property bytes of a PUBLISH or a will
 * @dst: where to, or NULL to measure
 *
 * All of them in their order [MQTT-3.3.2-18] but topic alias, message expiry,
 * subscription identifiers and will delay, which are each delivery's own.
 *
 * Return: bytes (to be) written.
 */
u32 mqtt_props_forward(const struct mqtt_str *raw, u8 *dst);

/*
 * encode.c: pure, any context. Each returns the length in bytes, or -EMSGSIZE
 * if @size does not hold it.
 */

/**
 * struct mqtt_connack - what a CONNACK says
 *
 * A property is written for 5.0 only, and only if its field differs from the
 * value in brackets.
 */
struct mqtt_connack {
	u8 version;
	u8 reason;		/* enum mqtt_rc; 3.x: mapped by the encoder */
	bool session_present;
	bool retain_unavailable; /* [false] */
	bool has_session_expiry; /* [false] */
	bool has_server_keep_alive; /* [false] */
	u8 maximum_qos;		/* [2] */
	u16 server_keep_alive;	/* seconds */
	u16 receive_maximum;	/* [0 or 65535] */
	u16 topic_alias_maximum; /* [0] */
	u32 maximum_packet_size; /* [0] bytes */
	u32 session_expiry;	/* seconds */
	u32 client_maximum;	/* bytes the client takes, 0: no bound; the
				 * reason string is left out rather than pass
				 * it [MQTT-3.2.2-19] */
	struct mqtt_str assigned_client_id; /* [empty] */
	struct mqtt_str reason_string;	/* [empty] */
	struct mqtt_str response_info;	/* [empty] */
	struct mqtt_str auth_method;	/* [empty] */
	struct mqtt_str auth_data;	/* [empty] */
};

/**
 * mqtt_rc_to_v3() - CONNACK return code for a reason code
 *
 * Return: an enum mqtt_connack_v3, or -1 where 3.x has none: the connection
 * is then closed without a CONNACK [MQTT-3.2.2-2 of 3.1.1].
 */
int mqtt_rc_to_v3(u8 reason);

/*
 * also 0 where 3.x has no code for the reason: nothing is to be sent, and
 * -EMSGSIZE for more than @ack->client_maximum [MQTT-3.1.2-24]
 */
int mqtt_encode_connack(u8 *buf, size_t size, const struct mqtt_connack *ack);

/* PUBACK/PUBREC/PUBREL/PUBCOMP; 5.0 with reason 0 in the short form */
int mqtt_encode_ack(u8 *buf, size_t size, u8 type, u8 version, u16 packet_id,
		    u8 reason);

/*
 * SUBACK and UNSUBACK: @reasons are 5.0 codes, mapped for 3.x (a failed
 * SUBACK entry: 0x80; an UNSUBACK of 3.x has no payload)
 */
int mqtt_encode_suback(u8 *buf, size_t size, u8 type, u8 version,
		       u16 packet_id, const u8 *reasons, u32 nr);
int mqtt_encode_pingresp(u8 *buf, size_t size);

/*
 * 5.0 only; @reason_string may be empty, and is left out beyond
 * @client_maximum (0: no bound) [MQTT-3.14.2-3]
 */
int mqtt_encode_disconnect(u8 *buf, size_t size, u8 reason,
			   const struct mqtt_str *reason_string,
			   u32 client_maximum);
int mqtt_encode_auth(u8 *buf, size_t size, u8 reason,
		     const struct mqtt_str *method,
		     const struct mqtt_str *data);

/**
 * struct mqtt_publish_out - what stands before the payload of one delivery
 * @flags: lower nibble of the first byte (DUP, QoS, RETAIN)
 * @topic: empty if @topic_alias alone says it
 * @topic_alias: 0 for none
 * @has_expiry: send @message_expiry (seconds left)
 * @props: bytes from mqtt_props_forward()
 * @sub_ids: subscription identifiers [MQTT-3.3.4-4]
 * @payload_len: bytes of payload that will follow
 *
 * A 3.x peer gets flags, topic and packet_id only.
 */
struct mqtt_publish_out {
	u8 version;
	u8 flags;
	u16 packet_id;
	u16 topic_alias;
	bool has_expiry;
	u32 message_expiry;
	u32 payload_len;
	u32 nr_sub_ids;
	const u32 *sub_ids;
	struct mqtt_str topic;
	struct mqtt_str props;
};

/**
 * mqtt_publish_head_len() - bytes before the payload
 * @out: the delivery
 * @total: if not NULL, the length of the whole packet; U32_MAX if it cannot
 *	be expressed
 *
 * Return: bytes, 0 if the packet cannot be expressed.
 */
u32 mqtt_publish_head_len(const struct mqtt_publish_out *out, u32 *total);

/* writes mqtt_publish_head_len() bytes; -EMSGSIZE if that is 0, too */
int mqtt_encode_publish_head(u8 *buf, size_t size,
			     const struct mqtt_publish_out *out);

#endif
