// SPDX-License-Identifier: GPL-2.0
/*
 * CONNECT until CONNACK, DISCONNECT. A CONNECT may have to wait twice:
 * for the authority's answer and for the connection that owns the session;
 * each time the io work is queued when it can go on.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "core/topic.h"
#include "control.h"
#include "datapath.h"
#include "half_open.h"
#include "listener.h"
#include "session.h"
#include "transport.h"

/* "auto-" and 128 random bits: no other session has it [MQTT-3.2.2-16]. */
#define KMQTT_ASSIGNED_PREFIX	"auto-"
#define KMQTT_ASSIGNED_LEN	(sizeof(KMQTT_ASSIGNED_PREFIX) - 1 + 32)

/**
 * struct kmqtt_connecting - a CONNECT on its way to CONNACK
 * @connect: decoded, points into @packet
 * @client_id: as asked, or @assigned
 * @username: identity, NUL-terminated, or NULL
 * @keep_alive: as it will be in force (seconds)
 * @keep_alive_ours: it is not the client's, so CONNACK tells it
 * @size: bytes charged
 * @answer: of the authority that accepted, or NULL: its data is for CONNACK
 * @assigned: our client identifier if it gave none, NUL-terminated
 * @packet: body of the CONNECT
 */
struct kmqtt_connecting {
	struct mqtt_connect connect;
	struct mqtt_str client_id;
	char *username;
	u16 keep_alive;
	bool keep_alive_ours;
	size_t size;
	struct kmqtt_auth_answer *answer;
	char assigned[KMQTT_ASSIGNED_LEN + 1];
	u8 packet[];
};

bool kmqtt_connect_client_id(const struct kmqtt_conn *conn,
			     struct mqtt_str *client_id)
{
	if (!conn->connecting)
		return false;
	*client_id = conn->connecting->client_id;
	return true;
}

static void kmqtt_connecting_free(struct kmqtt_conn *conn)
{
	struct kmqtt_connecting *c = conn->connecting;
	size_t size;

	if (!c)
		return;
	conn->connecting = NULL;
	size = c->size;
	kfree(c->username);
	kfree(c->answer);
	/* It holds the password. */
	kvfree_sensitive(c, size);
	kmqtt_uncharge(conn->broker, size);
}

void kmqtt_connect_free(struct kmqtt_conn *conn)
{
	kmqtt_connecting_free(conn);
	kfree(xchg(&conn->answer, NULL));
	if (conn->auth_method)
		kmqtt_uncharge(conn->broker, strlen(conn->auth_method));
	kfree(conn->auth_method);
	conn->auth_method = NULL;
}

void kmqtt_conn_auth_answer(struct kmqtt_conn *conn,
			    struct kmqtt_auth_answer *answer)
{
	kfree(xchg(&conn->answer, answer));
	kmqtt_conn_queue_io(conn);
}

static int kmqtt_connect_send_connack(struct kmqtt_conn *conn,
				      const struct mqtt_connack *ack)
{
	/*
	 * Assigned identifier, authentication and reason are its only strings;
	 * what does not fit is not sent.
	 */
	size_t size = 128 + ack->assigned_client_id.len +
		      ack->auth_method.len + ack->auth_data.len +
		      ack->reason_string.len + ack->response_info.len;
	u8 *buf;
	int len;

	buf = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!buf)
		return -ENOMEM;
	len = mqtt_encode_connack(buf, size, ack);
	if (len > 0)
		len = kmqtt_send_control(conn, buf, len, GFP_KERNEL);
	kvfree(buf);
	return len;
}

static void kmqtt_connect_refuse_with(struct kmqtt_conn *conn, u8 reason,
				      const char *text)
{
	struct mqtt_connack ack = {
		.version = conn->version,
		.reason = reason,
		.maximum_qos = 2,	/* that is: not sent */
		.client_maximum = conn->client_max_packet,
	};
	struct mqtt_str client_id = {};

	kmqtt_stat_inc(conn->broker, KMQTT_STAT_CONNECTS_REFUSED);
	kmqtt_connect_client_id(conn, &client_id);
	kmqtt_event_conn(conn, KMQTT_EVENT_REFUSED, reason, &client_id);
	if (text && conn->problem_info) {
		ack.reason_string.data = (const u8 *)text;
		ack.reason_string.len = strlen(text);
	}
	/*
	 * 3.x has few return codes: a CONNECT that is malformed gets none
	 * [MQTT-3.1.4-1 of 3.1.1]. Before anything is known about the
	 * client, nothing is said.
	 */
	if (conn->version == MQTT_V5 ||
	    (conn->version && mqtt_rc_to_v3(reason) > 0))
		kmqtt_connect_send_connack(conn, &ack);
	kmqtt_conn_close_silently(conn, reason);
}

void kmqtt_connect_refuse(struct kmqtt_conn *conn, u8 reason)
{
	kmqtt_connect_refuse_with(conn, reason, NULL);
}

/*
 * [MQTT-3.1.3-6]; 3.1 has no assigned identifiers, 3.1.1 only with a clean
 * session [MQTT-3.1.3-8 of 3.1.1].
 */
static u8 kmqtt_connect_identify(struct kmqtt_connecting *c)
{
	const struct mqtt_connect *connect = &c->connect;

	c->client_id = connect->client_id;
	if (c->client_id.len)
		return 0;
	if (connect->version == MQTT_V31 ||
	    (connect->version == MQTT_V311 && !connect->clean_start))
		return MQTT_RC_CLIENT_IDENTIFIER_NOT_VALID;
	snprintf(c->assigned, sizeof(c->assigned), KMQTT_ASSIGNED_PREFIX
		 "%016llx%016llx", get_random_u64(), get_random_u64());
	c->client_id.data = (u8 *)c->assigned;
	c->client_id.len = KMQTT_ASSIGNED_LEN;
	return 0;
}

/* Server Keep Alive [MQTT-3.2.2-21]; 3.x cannot be told, so it is refused. */
static u8 kmqtt_connect_keep_alive(struct kmqtt_conn *conn,
				   struct kmqtt_connecting *c)
{
	u16 max = kmqtt_cfg(conn->broker, KMQTT_SET_MAX_KEEPALIVE);
	u16 asked = c->connect.keep_alive;

	c->keep_alive = asked;
	if (max == U16_MAX || !max || (asked && asked <= max))
		return 0;
	if (conn->version != MQTT_V5)
		return asked ? MQTT_RC_CLIENT_IDENTIFIER_NOT_VALID : 0;
	c->keep_alive = max;
	c->keep_alive_ours = true;
	return 0;
}

static u8 kmqtt_connect_check(struct kmqtt_conn *conn,
			      struct kmqtt_connecting *c)
{
	const struct mqtt_connect *connect = &c->connect;
	struct kmqtt_broker *broker = conn->broker;

	if (connect->has_will) {
		if (connect->will_qos > kmqtt_cfg(broker,
						  KMQTT_SET_MAXIMUM_QOS))
			return MQTT_RC_QOS_NOT_SUPPORTED; /* [MQTT-3.2.2-12] */
		if (connect->will_retain &&
		    !kmqtt_cfg(broker, KMQTT_SET_RETAIN_AVAILABLE))
			return MQTT_RC_RETAIN_NOT_SUPPORTED; /* [MQTT-3.2.2-13] */
	}
	if (connect->has_will && mqtt_topic_depth(&connect->will_topic) >
	    kmqtt_cfg(broker, KMQTT_SET_MAX_TOPIC_LEVELS))
		return MQTT_RC_TOPIC_NAME_INVALID;
	if (connect->has_will && connect->will_props.payload_format == 1 &&
	    !mqtt_utf8_valid(connect->will_payload.data,
			     connect->will_payload.len))
		return MQTT_RC_PAYLOAD_FORMAT_INVALID;
	return kmqtt_connect_identify(c) ?: kmqtt_connect_keep_alive(conn, c);
}

static char *kmqtt_strdup(const struct mqtt_str *str)
{
	return kmemdup_nul((const char *)str->data, str->len,
			   GFP_KERNEL | __GFP_NOWARN);
}

static u32 kmqtt_connect_expiry(const struct kmqtt_conn *conn,
				const struct mqtt_connect *connect)
{
	u32 max = kmqtt_cfg(conn->broker, KMQTT_SET_SESSION_EXPIRY_MAX);

	if (connect->version == MQTT_V5)
		return min(connect->props.session_expiry, max);
	return connect->clean_start ? 0 : max;
}

static void kmqtt_connect_fill_connack(const struct kmqtt_conn *conn,
				       const struct kmqtt_connecting *c,
				       bool present, struct mqtt_connack *ack)
{
	const struct mqtt_props *props = &c->connect.props;
	struct kmqtt_broker *broker = conn->broker;

	ack->version = conn->version;
	ack->session_present = present;
	ack->client_maximum = conn->client_max_packet;
	ack->maximum_qos = kmqtt_cfg(broker, KMQTT_SET_MAXIMUM_QOS);
	ack->retain_unavailable = !kmqtt_cfg(broker,
					     KMQTT_SET_RETAIN_AVAILABLE);
	ack->receive_maximum = conn->receive_max;
	ack->topic_alias_maximum = conn->alias_in_max;
	if (conn->max_packet < MQTT_PACKET_MAX)
		ack->maximum_packet_size = conn->max_packet;
	if (c->assigned[0])
		ack->assigned_client_id = c->client_id;
	ack->has_server_keep_alive = c->keep_alive_ours;
	ack->server_keep_alive = c->keep_alive;
	ack->session_expiry = kmqtt_connect_expiry(conn, &c->connect);
	ack->has_session_expiry = ack->session_expiry != props->session_expiry;
	ack->auth_method = props->auth_method;
	if (c->answer)
		ack->auth_data = c->answer->auth_data;
}

/* The session is ours: from here on deliveries may follow the CONNACK. */
static void kmqtt_connect_up(struct kmqtt_conn *conn, bool present)
{
	struct kmqtt_connecting *c = conn->connecting;
	struct mqtt_connack ack = {};

	kmqtt_connect_fill_connack(conn, c, present, &ack);
	conn->keep_alive = c->keep_alive;
	WRITE_ONCE(conn->last_rx, jiffies);
	WRITE_ONCE(conn->state, KMQTT_CONN_UP);
	kmqtt_half_open_leave(conn);
	kmqtt_transport_bound(conn);
	if (kmqtt_connect_send_connack(conn, &ack)) {
		kmqtt_conn_close_silently(conn, MQTT_RC_SERVER_BUSY);
		return;
	}
	kmqtt_stat_inc(conn->broker, KMQTT_STAT_CONNECTS_ACCEPTED);
	kmqtt_event_conn(conn, KMQTT_EVENT_CONNECTED, 0,
			 &conn->session->client_id);
	kmqtt_connecting_free(conn);
	smp_mb__before_atomic(); /* pairs with kmqtt_tx_next() */
	set_bit(KMQTT_CONN_TX_OPEN, &conn->flags);
	kmqtt_conn_let_in(conn);
}

static void kmqtt_connect_take_limits(struct kmqtt_conn *conn,
				      const struct mqtt_connect *connect,
				      struct kmqtt_attach *attach)
{
	const struct mqtt_props *props = &connect->props;
	struct kmqtt_broker *broker = conn->broker;
	u16 receive_maximum = U16_MAX;

	if (connect->version == MQTT_V5) {
		receive_maximum = props->receive_maximum;
		conn->receive_max = kmqtt_cfg(broker,
					      KMQTT_SET_RECEIVE_MAXIMUM);
		conn->alias_in_max = kmqtt_cfg(broker,
					       KMQTT_SET_TOPIC_ALIAS_MAXIMUM);
		conn->alias_out_max =
			min_t(u16, props->topic_alias_maximum,
			      kmqtt_cfg(broker, KMQTT_SET_TOPIC_ALIAS_OUT_MAX));
	} else {
		conn->receive_max = U16_MAX;
	}
	conn->max_packet = kmqtt_cfg(broker, KMQTT_SET_MAX_PACKET_SIZE);
	attach->window = min_t(u16, receive_maximum,
			       kmqtt_cfg(broker, KMQTT_SET_MAX_INFLIGHT));
	attach->max_packet = conn->client_max_packet;
	attach->expiry = kmqtt_connect_expiry(conn, connect);
}

static u8 kmqtt_connect_make_will(struct kmqtt_conn *conn,
				  struct kmqtt_attach *attach)
{
	struct kmqtt_connecting *c = conn->connecting;

	if (!c->connect.has_will)
		return 0;
	if (!kmqtt_acl_check_as(conn->broker, &c->client_id, c->username,
				KMQTT_ACCESS_WRITE, &c->connect.will_topic))
		return MQTT_RC_NOT_AUTHORIZED;
	attach->will = kmqtt_will_create(conn->broker, &c->connect);
	return attach->will ? 0 : MQTT_RC_QUOTA_EXCEEDED;
}

static u8 kmqtt_connect_attach_reason(int err)
{
	switch (err) {
	case -ESHUTDOWN:
		return MQTT_RC_SERVER_SHUTTING_DOWN;
	case -ENOSPC:
		return MQTT_RC_QUOTA_EXCEEDED;
	default:
		return MQTT_RC_SERVER_BUSY;
	}
}

/* Who it is, is settled: get the session. */
static void kmqtt_connect_proceed(struct kmqtt_conn *conn)
{
	struct kmqtt_connecting *c = conn->connecting;
	struct kmqtt_attach attach = {
		.conn = conn,
		.client_id = c->client_id,
		.username = c->username,
		.clean_start = c->connect.clean_start,
		.version = conn->version,
	};
	u8 reason;
	int ret;

	reason = kmqtt_connect_make_will(conn, &attach);
	if (reason) {
		kmqtt_connect_refuse(conn, reason);
		return;
	}
	kmqtt_connect_take_limits(conn, &c->connect, &attach);
	ret = kmqtt_session_attach(&attach);
	kmqtt_will_free(attach.will);
	if (ret == -EINPROGRESS)
		WRITE_ONCE(conn->state, KMQTT_CONN_TAKEOVER);
	else if (ret)
		kmqtt_connect_refuse(conn, kmqtt_connect_attach_reason(ret));
	else
		kmqtt_connect_up(conn, attach.present);
}

u8 kmqtt_connect_ask(struct kmqtt_conn *conn, u8 stage,
		     const struct mqtt_props *props)
{
	struct kmqtt_connecting *c = conn->connecting;
	struct kmqtt_auth_query query = { .stage = stage };
	int ret;

	if (c) {
		query.has_username = c->connect.has_username;
		query.has_password = c->connect.has_password;
		query.client_id = c->client_id;
		query.username = c->connect.username;
		query.password = c->connect.password;
	} else {
		query.client_id = conn->session->client_id;
	}
	query.auth_method = props->auth_method;
	query.auth_data = props->auth_data;
	set_bit(KMQTT_CONN_ASKED, &conn->flags);
	ret = kmqtt_authority_ask(conn, &query);
	if (ret)
		clear_bit(KMQTT_CONN_ASKED, &conn->flags);
	switch (ret) {
	case 0:
		return 0;
	case -EBUSY:
		return MQTT_RC_SERVER_BUSY;
	default:
		return MQTT_RC_SERVER_UNAVAILABLE;
	}
}

static u8 kmqtt_connect_authenticate(struct kmqtt_conn *conn)
{
	struct kmqtt_connecting *c = conn->connecting;
	const struct mqtt_connect *connect = &c->connect;
	u8 reason;

	switch (READ_ONCE(conn->listener->auth_mode)) {
	case KMQTT_AUTH_OPEN:
		/* Nobody there to speak any method [MQTT-4.12.0-1]. */
		if (connect->props.auth_method.len)
			return MQTT_RC_BAD_AUTHENTICATION_METHOD;
		if (connect->has_username) {
			c->username = kmqtt_strdup(&connect->username);
			if (!c->username)
				return MQTT_RC_SERVER_BUSY;
		}
		kmqtt_connect_proceed(conn);
		return 0;
	case KMQTT_AUTH_AUTHORITY:
		reason = kmqtt_connect_ask(conn, KMQTT_STAGE_CONNECT,
					   &connect->props);
		if (!reason)
			WRITE_ONCE(conn->state, KMQTT_CONN_AUTH);
		return reason;
	default:
		return MQTT_RC_NOT_AUTHORIZED;
	}
}

static struct kmqtt_connecting *
kmqtt_connecting_create(struct kmqtt_conn *conn, const u8 *body, u32 len)
{
	struct kmqtt_connecting *c;
	size_t size = struct_size(c, packet, len);

	if (!kmqtt_charge_share(conn->broker, size, kmqtt_share_of(len)))
		return NULL;
	c = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!c) {
		kmqtt_uncharge(conn->broker, size);
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->size = size;
	memcpy(c->packet, body, len);
	return c;
}

/* For its copy; but what it takes to be answered is read. */
static noinline_for_stack u8 kmqtt_connect_no_room(struct kmqtt_conn *conn,
						   const u8 *body, u32 len)
{
	struct mqtt_connect connect;
	u8 reason;

	reason = mqtt_decode_connect(body, len, &connect);
	conn->version = connect.version;
	if (!reason)
		conn->client_max_packet = connect.props.maximum_packet_size;
	return reason ?: MQTT_RC_QUOTA_EXCEEDED;
}

/* It is needed as long as the connection is [MQTT-4.12.0-5]. */
static bool kmqtt_connect_keep_method(struct kmqtt_conn *conn,
				      const struct mqtt_str *method)
{
	if (!kmqtt_charge_share(conn->broker, method->len,
				kmqtt_share_of(method->len)))
		return false;
	conn->auth_method = kmqtt_strdup(method);
	if (!conn->auth_method)
		kmqtt_uncharge(conn->broker, method->len);
	return conn->auth_method;
}

u8 kmqtt_connect_handle(struct kmqtt_conn *conn, const u8 *body, u32 len)
{
	struct kmqtt_connecting *c;
	u8 reason;

	if (!kmqtt_half_open_spoke(conn))
		return MQTT_RC_SERVER_BUSY;
	c = kmqtt_connecting_create(conn, body, len);
	if (!c)
		return kmqtt_connect_no_room(conn, body, len);
	conn->connecting = c;
	reason = mqtt_decode_connect(c->packet, len, &c->connect);
	conn->version = c->connect.version;
	if (reason) {
		/* Not a word of it can be relied on but the version. */
		kmqtt_connecting_free(conn);
		return reason;
	}
	conn->problem_info = c->connect.props.request_problem_info;
	conn->client_max_packet = c->connect.props.maximum_packet_size;
	if (c->connect.props.auth_method.len &&
	    !kmqtt_connect_keep_method(conn, &c->connect.props.auth_method))
		return MQTT_RC_QUOTA_EXCEEDED;
	reason = kmqtt_connect_check(conn, c) ?:
		 kmqtt_connect_authenticate(conn);
	if (reason)
		kmqtt_connect_refuse(conn, reason);
	return 0;
}

static void kmqtt_connect_accepted(struct kmqtt_conn *conn,
				   struct kmqtt_auth_answer *answer)
{
	struct kmqtt_connecting *c = conn->connecting;

	c->answer = answer;
	if (answer->username)
		c->username = kstrdup(answer->username,
				      GFP_KERNEL | __GFP_NOWARN);
	else if (c->connect.has_username)
		c->username = kmqtt_strdup(&c->connect.username);
	if (!c->username && (answer->username || c->connect.has_username))
		kmqtt_connect_refuse(conn, MQTT_RC_SERVER_BUSY);
	else
		kmqtt_connect_proceed(conn);
}

/* The authority's word on a CONNECT. */
static void kmqtt_connect_answered(struct kmqtt_conn *conn,
				   struct kmqtt_auth_answer *answer)
{
	u8 reason = answer->reason;

	if (!reason) {
		kmqtt_connect_accepted(conn, answer);
		return;
	}
	if (reason == MQTT_RC_CONTINUE_AUTHENTICATION && conn->auth_method) {
		WRITE_ONCE(conn->state, KMQTT_CONN_CHALLENGED);
		kmqtt_half_open_again(conn);
		reason = kmqtt_auth_say(conn, reason, &answer->auth_data);
		if (reason)
			kmqtt_connect_refuse(conn, reason);
		else
			kmqtt_conn_queue_io(conn);
	} else {
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_AUTH_FAILURES);
		if (reason < 0x80)
			reason = MQTT_RC_NOT_AUTHORIZED;
		kmqtt_connect_refuse_with(conn, reason, answer->reason_string);
	}
	kfree(answer);
}

void kmqtt_connect_continue(struct kmqtt_conn *conn)
{
	struct kmqtt_auth_answer *answer = xchg(&conn->answer, NULL);

	if (answer)
		clear_bit(KMQTT_CONN_ASKED, &conn->flags);
	if (conn->state == KMQTT_CONN_TAKEOVER) {
		kfree(answer);
		/* What it sends meanwhile calls us, too. */
		if (test_and_clear_bit(KMQTT_CONN_NEXT, &conn->flags))
			kmqtt_connect_proceed(conn);
	} else if (answer && conn->state == KMQTT_CONN_AUTH) {
		kmqtt_connect_answered(conn, answer);
	} else if (answer && conn->state == KMQTT_CONN_UP) {
		kmqtt_auth_again_answered(conn, answer);
	} else {
		kfree(answer);
	}
}

/* DISCONNECT may change the session expiry, but not from 0 [3.14.2.2.2]. */
static u8 kmqtt_connect_change_expiry(struct kmqtt_conn *conn, u32 expiry)
{
	struct kmqtt_session *session = conn->session;
	u32 max = kmqtt_cfg(conn->broker, KMQTT_SET_SESSION_EXPIRY_MAX);
	u8 reason = 0;

	spin_lock_bh(&session->lock);
	if (session->conn != conn)
		reason = MQTT_RC_SESSION_TAKEN_OVER;
	else if (!session->expiry && expiry)
		reason = MQTT_RC_PROTOCOL_ERROR;
	else
		session->expiry = min(expiry, max);
	spin_unlock_bh(&session->lock);
	return reason;
}

u8 kmqtt_connect_disconnect(struct kmqtt_conn *conn, const u8 *body, u32 len)
{
	struct mqtt_disconnect disconnect;
	u8 reason;

	reason = mqtt_decode_disconnect(body, len, conn->version, &disconnect);
	if (reason)
		return reason;
	if (conn->session &&
	    mqtt_props_has(&disconnect.props, MQTT_PROP_SESSION_EXPIRY)) {
		reason = kmqtt_connect_change_expiry(conn,
						     disconnect.props.session_expiry);
		if (reason)
			return reason;
	}
	/* Any other reason code leaves the will in place [MQTT-3.14.4-3]. */
	if (disconnect.reason == MQTT_RC_SUCCESS)
		set_bit(KMQTT_CONN_NORMAL, &conn->flags);
	kmqtt_conn_leave(conn, disconnect.reason);
	return 0;
}
