// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that were not let in yet. They are cheap to make and take places
 * that others need, so who does not say who he is makes room.
 */
#include "half_open.h"

#include <linux/jiffies.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "listener.h"

/* conn_lock held. */
static void kmqtt_half_open_remove(struct kmqtt_conn *conn)
{
	if (list_empty(&conn->half_open))
		return;
	list_del_init(&conn->half_open);
	atomic_dec(&conn->broker->nr_half_open);
}

void kmqtt_half_open_enter(struct kmqtt_conn *conn)
{
	lockdep_assert_held(&conn->broker->conn_lock);
	conn->half_open_since = jiffies;
	list_add_tail(&conn->half_open, &conn->broker->half_open);
	atomic_inc(&conn->broker->nr_half_open);
}

void kmqtt_half_open_leave(struct kmqtt_conn *conn)
{
	spin_lock(&conn->broker->conn_lock);
	kmqtt_half_open_remove(conn);
	spin_unlock(&conn->broker->conn_lock);
}

bool kmqtt_half_open_spoke(struct kmqtt_conn *conn)
{
	bool closing;

	/* Either it is seen to have spoken, or we see that it was too late. */
	spin_lock(&conn->broker->conn_lock);
	set_bit(KMQTT_CONN_SPOKE, &conn->flags);
	closing = kmqtt_conn_closing(conn);
	spin_unlock(&conn->broker->conn_lock);
	return !closing;
}

void kmqtt_half_open_again(struct kmqtt_conn *conn)
{
	struct kmqtt_broker *broker = conn->broker;

	spin_lock(&broker->conn_lock);
	clear_bit(KMQTT_CONN_SPOKE, &conn->flags);
	/* How long others took is not its fault. */
	if (!list_empty(&conn->half_open)) {
		conn->half_open_since = jiffies;
		list_move_tail(&conn->half_open, &broker->half_open);
	}
	spin_unlock(&broker->conn_lock);
}

/* Is it the client that has not done its part yet? conn_lock held. */
static bool kmqtt_half_open_dawdles(const struct kmqtt_conn *conn)
{
	u8 state = READ_ONCE(conn->state);

	return (state == KMQTT_CONN_NEW || state == KMQTT_CONN_CHALLENGED) &&
	       !test_bit(KMQTT_CONN_SPOKE, &conn->flags) &&
	       !kmqtt_conn_closing(conn);
}

bool kmqtt_half_open_make_room(struct kmqtt_broker *broker,
			       const struct kmqtt_listener *listener,
			       unsigned long age)
{
	struct kmqtt_conn *conn;
	bool found = false;

	spin_lock(&broker->conn_lock);
	list_for_each_entry(conn, &broker->half_open, half_open) {
		if (time_before(jiffies, conn->half_open_since + age))
			break;
		found = (!listener || conn->listener == listener) &&
			kmqtt_half_open_dawdles(conn);
		if (!found)
			continue;
		/* The next one to come needs another one's place. */
		kmqtt_half_open_remove(conn);
		set_bit(KMQTT_CONN_ABORT, &conn->flags);
		kmqtt_conn_close_silently(conn, MQTT_RC_SERVER_BUSY);
		break;
	}
	spin_unlock(&broker->conn_lock);
	if (found)
		kmqtt_stat_inc(broker, KMQTT_STAT_HALF_OPEN_DROPPED);
	return found;
}
