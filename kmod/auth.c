// SPDX-License-Identifier: GPL-2.0
/*
 * AUTH, both ways: a challenge before CONNACK, and authentication once more
 * while the connection is up [MQTT-4.12.1-2]. What is in it is the authority's.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "datapath.h"
#include "half_open.h"

u8 kmqtt_auth_say(struct kmqtt_conn *conn, u8 reason,
		  const struct mqtt_str *data)
{
	struct mqtt_str method = {
		.data = (const u8 *)conn->auth_method,
		.len = strlen(conn->auth_method),
	};
	size_t size = 32 + method.len + data->len;
	u8 *buf;
	int len;

	buf = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!buf)
		return MQTT_RC_QUOTA_EXCEEDED;
	len = mqtt_encode_auth(buf, size, reason, &method, data);
	/* It cannot be had in smaller pieces [MQTT-3.1.2-24]. */
	if (conn->client_max_packet && len > 0 &&
	    len > conn->client_max_packet)
		len = -EMSGSIZE;
	if (len > 0)
		len = kmqtt_send_control(conn, buf, len, GFP_KERNEL);
	kvfree(buf);
	if (len)
		return len == -EMSGSIZE ? MQTT_RC_PACKET_TOO_LARGE :
					  MQTT_RC_QUOTA_EXCEEDED;
	kmqtt_send_kick(conn);
	return 0;
}

void kmqtt_auth_again_answered(struct kmqtt_conn *conn,
			       struct kmqtt_auth_answer *answer)
{
	u8 reason = answer->reason;

	if (reason && reason != MQTT_RC_CONTINUE_AUTHENTICATION) {
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_AUTH_FAILURES);
		kmqtt_conn_close(conn, reason < 0x80 ? MQTT_RC_NOT_AUTHORIZED :
						       reason);
	} else {
		if (!reason)
			clear_bit(KMQTT_CONN_REAUTH, &conn->flags);
		reason = kmqtt_auth_say(conn, reason, &answer->auth_data);
		if (reason)
			kmqtt_conn_close(conn, reason);
	}
	kfree(answer);
}

/* Same method as in CONNECT, always [MQTT-4.12.0-5]. */
static bool kmqtt_auth_same_method(const struct kmqtt_conn *conn,
				   const struct mqtt_str *method)
{
	return method->len == strlen(conn->auth_method) &&
	       !memcmp(method->data, conn->auth_method, method->len);
}

u8 kmqtt_auth_handle(struct kmqtt_conn *conn, const u8 *body, u32 len)
{
	struct mqtt_disconnect auth;
	u8 reason, stage = KMQTT_STAGE_CONTINUE;

	if (!conn->auth_method)
		return MQTT_RC_PROTOCOL_ERROR;	/* [MQTT-4.12.0-7] */
	/* It is not its turn: one question about a client at a time. */
	if (test_bit(KMQTT_CONN_ASKED, &conn->flags))
		return MQTT_RC_PROTOCOL_ERROR;
	reason = mqtt_decode_auth(body, len, &auth);
	if (reason)
		return reason;
	if (!kmqtt_auth_same_method(conn, &auth.props.auth_method))
		return MQTT_RC_PROTOCOL_ERROR;
	if (conn->state == KMQTT_CONN_CHALLENGED) {
		if (!kmqtt_half_open_spoke(conn))
			return MQTT_RC_SERVER_BUSY;
		if (auth.reason != MQTT_RC_CONTINUE_AUTHENTICATION)
			return MQTT_RC_PROTOCOL_ERROR;
	} else if (auth.reason == MQTT_RC_REAUTHENTICATE) {
		if (test_and_set_bit(KMQTT_CONN_REAUTH, &conn->flags))
			return MQTT_RC_PROTOCOL_ERROR;
		stage = KMQTT_STAGE_REAUTH;
	} else if (auth.reason != MQTT_RC_CONTINUE_AUTHENTICATION ||
		   !test_bit(KMQTT_CONN_REAUTH, &conn->flags)) {
		return MQTT_RC_PROTOCOL_ERROR;
	}
	reason = kmqtt_connect_ask(conn, stage, &auth.props);
	if (!reason && conn->state == KMQTT_CONN_CHALLENGED)
		WRITE_ONCE(conn->state, KMQTT_CONN_AUTH);
	return reason;
}
