// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the authority: each ends exactly once, by its answer, by its
 * deadline, by the end of the broker or by the end of its connection. The
 * authority may come and go meanwhile.
 */
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "listener.h"
#include "netlink.h"
#include "transport.h"

/* How soon a request is sent again that did not fit the socket's buffer. */
#define KMQTT_AUTH_RESEND	msecs_to_jiffies(20)

#define KMQTT_AUTH_HASH_BITS	8

/**
 * struct kmqtt_auth_request - one question
 * @by_id: in authority->by_id
 * @by_conn: in authority->by_conn
 * @due: in authority->due
 * @unsent: in authority->unsent, or empty: it was sent
 * @id: never used twice
 * @deadline: jiffies
 * @conn: referenced
 * @answer: for the case that nobody else gives one
 * @query: what is asked; points into @data
 * @size: bytes allocated for the request, charged and wiped when freed
 * @data: the bytes that @query points to
 */
struct kmqtt_auth_request {
	struct hlist_node by_id;
	struct hlist_node by_conn;
	struct list_head due;
	struct list_head unsent;
	u64 id;
	unsigned long deadline;
	struct kmqtt_conn *conn;
	struct kmqtt_auth_answer *answer;
	struct kmqtt_auth_query query;
	size_t size;
	u8 data[];
};

/**
 * struct kmqtt_authority - requests of one broker
 * @broker: it
 * @lock: guards what follows; taken in process context, also by the io work
 *	of connections. Answers are given under it: after a cancel no answer
 *	comes any more
 * @portid: socket of the authority, 0: there is none
 * @last_id: of the last request
 * @nr: requests
 * @due: requests by deadline, the next one first
 * @unsent: requests not (or not successfully) sent to @portid, oldest first
 * @by_id: requests by their identifier
 * @by_conn: requests by the connection they are about
 * @work: deadlines and resending
 */
struct kmqtt_authority {
	struct kmqtt_broker *broker;
	struct mutex lock; /* @portid to @by_conn */
	u32 portid;
	u64 last_id;
	u32 nr;
	struct list_head due;
	struct list_head unsent;
	DECLARE_HASHTABLE(by_id, KMQTT_AUTH_HASH_BITS);
	DECLARE_HASHTABLE(by_conn, KMQTT_AUTH_HASH_BITS);
	struct delayed_work work;
};

static struct mqtt_str kmqtt_auth_copy(u8 **to, const struct mqtt_str *from)
{
	struct mqtt_str copy = { .data = *to, .len = from->len };

	if (from->len)
		memcpy(*to, from->data, from->len);
	*to += from->len;
	return copy;
}

static void kmqtt_auth_request_free(struct kmqtt_auth_request *req)
{
	kmqtt_uncharge(req->conn->broker, req->size);
	kmqtt_conn_put(req->conn);
	kfree(req->answer);
	kvfree_sensitive(req, req->size);
}

static struct kmqtt_auth_request *
kmqtt_auth_request_create(struct kmqtt_conn *conn,
			  const struct kmqtt_auth_query *query)
{
	size_t size = (size_t)query->client_id.len + query->username.len +
		      query->password.len + query->auth_method.len +
		      query->auth_data.len;
	enum kmqtt_share share = kmqtt_share_of(size);
	struct kmqtt_auth_request *req;
	u8 *to;

	size = struct_size(req, data, size);
	if (!kmqtt_charge_share(conn->broker, size, share))
		return NULL;
	req = kvzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!req)
		goto err_charge;
	req->answer = kzalloc(sizeof(*req->answer), GFP_KERNEL);
	if (!req->answer)
		goto err_request;
	req->answer->reason = MQTT_RC_SERVER_UNAVAILABLE;
	INIT_LIST_HEAD(&req->unsent);
	req->size = size;
	req->query = *query;
	to = req->data;
	req->query.client_id = kmqtt_auth_copy(&to, &query->client_id);
	req->query.username = kmqtt_auth_copy(&to, &query->username);
	req->query.password = kmqtt_auth_copy(&to, &query->password);
	req->query.auth_method = kmqtt_auth_copy(&to, &query->auth_method);
	req->query.auth_data = kmqtt_auth_copy(&to, &query->auth_data);
	req->conn = kmqtt_conn_get(conn);
	return req;

err_request:
	kvfree(req);
err_charge:
	kmqtt_uncharge(conn->broker, size);
	return NULL;
}

static bool kmqtt_auth_query_fits(const struct kmqtt_auth_query *query)
{
	return query->client_id.len <= KMQTT_NL_ATTR_STRING &&
	       query->username.len <= KMQTT_NL_ATTR_STRING &&
	       query->password.len <= KMQTT_NL_ATTR_STRING &&
	       query->auth_method.len <= KMQTT_NL_ATTR_STRING &&
	       query->auth_data.len <= KMQTT_NL_ATTR_STRING;
}

static int kmqtt_auth_fill(struct sk_buff *skb,
			   const struct kmqtt_auth_request *req)
{
	const struct kmqtt_auth_query *query = &req->query;
	struct kmqtt_conn *conn = req->conn;
	void *hdr = genlmsg_put(skb, 0, 0, &kmqtt_genl_family, 0,
				KMQTT_CMD_AUTH_REQUEST);

	if (!hdr || kmqtt_nl_put_u64(skb, KMQTT_A_REQUEST_ID, req->id) ||
	    nla_put_u8(skb, KMQTT_A_STAGE, query->stage) ||
	    kmqtt_nl_put_str(skb, KMQTT_A_CLIENT_ID, &query->client_id) ||
	    nla_put_u8(skb, KMQTT_A_VERSION, conn->version) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_ID, conn->listener->id) ||
	    kmqtt_nl_put_addr(skb, kmqtt_transport_addr(conn)) ||
	    (query->has_username &&
	     kmqtt_nl_put_str(skb, KMQTT_A_USERNAME, &query->username)) ||
	    (query->has_password &&
	     nla_put(skb, KMQTT_A_PASSWORD, query->password.len,
		     query->password.data)) ||
	    (query->auth_method.len &&
	     kmqtt_nl_put_str(skb, KMQTT_A_AUTH_METHOD, &query->auth_method)) ||
	    (query->auth_data.len &&
	     nla_put(skb, KMQTT_A_AUTH_DATA, query->auth_data.len,
		     query->auth_data.data)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/* Return: 0, or an error after which it may be tried again. */
static int kmqtt_auth_send(struct kmqtt_authority *authority,
			   struct kmqtt_auth_request *req)
{
	struct sk_buff *skb;
	int ret;

	/* numbers, headers and a path take less than 384 bytes */
	skb = genlmsg_new(req->size + 384, GFP_KERNEL | __GFP_NOWARN);
	if (!skb)
		return -ENOMEM;
	ret = kmqtt_auth_fill(skb, req);
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	return genlmsg_unicast(authority->broker->net, skb, authority->portid);
}

/* Send what waits, in its order, as far as the socket's buffer goes. */
static void kmqtt_auth_send_all(struct kmqtt_authority *authority)
{
	struct kmqtt_auth_request *req, *next;

	lockdep_assert_held(&authority->lock);
	if (!authority->portid)
		return;
	list_for_each_entry_safe(req, next, &authority->unsent, unsent) {
		if (kmqtt_auth_send(authority, req))
			return;
		list_del_init(&req->unsent);
	}
}

/* Have the work run when the next thing is due. */
static void kmqtt_auth_arm(struct kmqtt_authority *authority)
{
	struct kmqtt_auth_request *first;
	long delay;

	lockdep_assert_held(&authority->lock);
	first = list_first_entry_or_null(&authority->due,
					 struct kmqtt_auth_request, due);
	if (!first)
		return;
	delay = max_t(long, first->deadline - jiffies, 0);
	if (authority->portid && !list_empty(&authority->unsent))
		delay = min_t(long, delay, KMQTT_AUTH_RESEND);
	mod_delayed_work(kmqtt_ctl_wq, &authority->work, delay);
}

static void kmqtt_auth_unlink(struct kmqtt_authority *authority,
			      struct kmqtt_auth_request *req)
{
	lockdep_assert_held(&authority->lock);
	hash_del(&req->by_id);
	hash_del(&req->by_conn);
	list_del(&req->due);
	list_del(&req->unsent);
	authority->nr--;
}

/* The end of a request by nobody's answer: 0x88. */
static void kmqtt_auth_fail(struct kmqtt_authority *authority,
			    struct kmqtt_auth_request *req)
{
	struct kmqtt_auth_answer *answer = req->answer;

	kmqtt_auth_unlink(authority, req);
	req->answer = NULL;
	kmqtt_conn_auth_answer(req->conn, answer);
	kmqtt_auth_request_free(req);
}

static void kmqtt_auth_work(struct work_struct *work)
{
	struct kmqtt_authority *authority =
		container_of(to_delayed_work(work), struct kmqtt_authority,
			     work);
	struct kmqtt_auth_request *req, *next;

	mutex_lock(&authority->lock);
	list_for_each_entry_safe(req, next, &authority->due, due) {
		if (time_before(jiffies, req->deadline))
			break;
		kmqtt_stat_inc(authority->broker, KMQTT_STAT_AUTH_TIMEOUTS);
		kmqtt_auth_fail(authority, req);
	}
	kmqtt_auth_send_all(authority);
	kmqtt_auth_arm(authority);
	mutex_unlock(&authority->lock);
}

/* By deadline; auth_timeout may have changed, so not always at the end. */
static void kmqtt_auth_insert(struct kmqtt_authority *authority,
			      struct kmqtt_auth_request *req)
{
	struct kmqtt_auth_request *at;
	struct list_head *after = &authority->due;

	list_for_each_entry_reverse(at, &authority->due, due) {
		if (time_after_eq(req->deadline, at->deadline)) {
			after = &at->due;
			break;
		}
	}
	list_add(&req->due, after);
	list_add_tail(&req->unsent, &authority->unsent);
	hash_add(authority->by_id, &req->by_id, req->id);
	hash_add(authority->by_conn, &req->by_conn, (unsigned long)req->conn);
	authority->nr++;
}

int kmqtt_authority_ask(struct kmqtt_conn *conn,
			const struct kmqtt_auth_query *query)
{
	struct kmqtt_broker *broker = conn->broker;
	struct kmqtt_authority *authority = broker->authority;
	struct kmqtt_auth_request *req;
	int ret = 0;

	if (!kmqtt_auth_query_fits(query))
		return -EMSGSIZE;
	req = kmqtt_auth_request_create(conn, query);
	if (!req)
		return -ENOMEM;

	mutex_lock(&authority->lock);
	if (!authority->portid || READ_ONCE(broker->stopping))
		ret = -ENOTCONN;
	else if (authority->nr >= kmqtt_cfg(broker, KMQTT_SET_AUTH_PENDING_MAX))
		ret = -EBUSY;
	if (ret) {
		mutex_unlock(&authority->lock);
		kmqtt_auth_request_free(req);
		return ret;
	}
	req->id = ++authority->last_id;
	req->deadline = jiffies +
			kmqtt_cfg(broker, KMQTT_SET_AUTH_TIMEOUT) * HZ;
	kmqtt_auth_insert(authority, req);
	kmqtt_auth_send_all(authority);
	kmqtt_auth_arm(authority);
	mutex_unlock(&authority->lock);
	return 0;
}

void kmqtt_authority_cancel(struct kmqtt_conn *conn)
{
	struct kmqtt_authority *authority = conn->broker->authority;
	struct kmqtt_auth_request *req;
	struct hlist_node *next;
	unsigned int bucket = hash_min((unsigned long)conn,
				       KMQTT_AUTH_HASH_BITS);

	/*
	 * The caller asked in the same work, so its own request is seen here
	 * if there is one; every other connection ends without the lock.
	 */
	if (hlist_empty(&authority->by_conn[bucket]))
		return;
	mutex_lock(&authority->lock);
	hash_for_each_possible_safe(authority->by_conn, req, next, by_conn,
				    (unsigned long)conn) {
		if (req->conn != conn)
			continue;
		kmqtt_auth_unlink(authority, req);
		kmqtt_auth_request_free(req);
		break;
	}
	mutex_unlock(&authority->lock);
}

int kmqtt_authority_set(struct kmqtt_broker *broker, u32 portid)
{
	struct kmqtt_authority *authority = broker->authority;
	int ret = -EBUSY;

	mutex_lock(&authority->lock);
	if (!authority->portid || authority->portid == portid) {
		WRITE_ONCE(authority->portid, portid);
		ret = 0;
		kmqtt_auth_arm(authority);
	}
	mutex_unlock(&authority->lock);
	return ret;
}

void kmqtt_authority_released(struct kmqtt_broker *broker, u32 portid)
{
	struct kmqtt_authority *authority = broker->authority;
	struct kmqtt_auth_request *req;

	/* every netlink socket that is closed comes by here */
	if (!portid || READ_ONCE(authority->portid) != portid)
		return;
	mutex_lock(&authority->lock);
	if (authority->portid == portid) {
		WRITE_ONCE(authority->portid, 0);
		list_for_each_entry(req, &authority->due, due)
			list_move_tail(&req->unsent, &authority->unsent);
	}
	mutex_unlock(&authority->lock);
}

int kmqtt_authority_reply(struct kmqtt_broker *broker, u32 portid, u64 id,
			  struct kmqtt_auth_answer *answer)
{
	struct kmqtt_authority *authority = broker->authority;
	struct kmqtt_auth_request *req;
	int ret = -ENOENT;

	mutex_lock(&authority->lock);
	if (authority->portid != portid) {
		ret = -EPERM;
		goto unlock;
	}
	hash_for_each_possible(authority->by_id, req, by_id, id) {
		if (req->id != id)
			continue;
		ret = -EINVAL;
		if (answer->reason == MQTT_RC_CONTINUE_AUTHENTICATION &&
		    !req->query.auth_method.len)
			break;
		kmqtt_auth_unlink(authority, req);
		kmqtt_conn_auth_answer(req->conn, answer);
		kmqtt_auth_request_free(req);
		ret = 0;
		break;
	}
unlock:
	mutex_unlock(&authority->lock);
	return ret;
}

void kmqtt_authority_flush(struct kmqtt_broker *broker)
{
	struct kmqtt_authority *authority = broker->authority;
	struct kmqtt_auth_request *req, *next;

	mutex_lock(&authority->lock);
	list_for_each_entry_safe(req, next, &authority->due, due)
		kmqtt_auth_fail(authority, req);
	mutex_unlock(&authority->lock);
}

int kmqtt_authority_init(struct kmqtt_broker *broker)
{
	struct kmqtt_authority *authority;

	authority = kzalloc(sizeof(*authority), GFP_KERNEL);
	if (!authority)
		return -ENOMEM;
	authority->broker = broker;
	mutex_init(&authority->lock);
	INIT_LIST_HEAD(&authority->due);
	INIT_LIST_HEAD(&authority->unsent);
	hash_init(authority->by_id);
	hash_init(authority->by_conn);
	INIT_DELAYED_WORK(&authority->work, kmqtt_auth_work);
	broker->authority = authority;
	return 0;
}

void kmqtt_authority_uninit(struct kmqtt_broker *broker)
{
	struct kmqtt_authority *authority = broker->authority;

	kmqtt_authority_flush(broker);
	cancel_delayed_work_sync(&authority->work);
	broker->authority = NULL;
	kfree(authority);
}
