// SPDX-License-Identifier: GPL-2.0
/* Netlink commands that change something: check, act, say what was wrong. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include <linux/un.h>
#include "acl.h"
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "core/topic.h"
#include "datapath.h"
#include "listener.h"
#include "netlink.h"
#include "session.h"

/* Is attribute @attr missing? Then @text says that it is needed. */
#define KMQTT_NL_LACKS(info, attr, text) ({				\
	struct genl_info *__asked = (info);				\
	bool __lacks = GENL_REQ_ATTR_CHECK(__asked, attr);		\
									\
	if (__lacks)							\
		GENL_SET_ERR_MSG(__asked, text);			\
	__lacks;							\
})

static struct kmqtt_broker *kmqtt_nl_broker(struct genl_info *info)
{
	return kmqtt_broker_of(genl_info_net(info));
}

/* An answer with room for a number, made before anything is changed. */
static struct sk_buff *kmqtt_nl_reply_new(struct genl_info *info, u8 cmd,
					  void **hdr)
{
	struct sk_buff *skb;

	skb = genlmsg_new(nla_total_size(sizeof(u32)), GFP_KERNEL);
	if (!skb) {
		GENL_SET_ERR_MSG(info, "no memory for the answer: nothing is changed");
		return NULL;
	}
	*hdr = genlmsg_put_reply(skb, info, &kmqtt_genl_family, 0, cmd);
	if (*hdr)
		return skb;
	nlmsg_free(skb);
	return NULL;
}

static int kmqtt_nl_reply_u32(struct genl_info *info, struct sk_buff *skb,
			      void *hdr, int attr, u32 value)
{
	if (nla_put_u32(skb, attr, value)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/* PATH of a request. Return: 0 or -EINVAL. */
static int kmqtt_nl_get_path(struct genl_info *info,
			     struct sockaddr_storage *addr)
{
	const struct nlattr *attr = info->attrs[KMQTT_A_PATH];
	struct sockaddr_un *un = (void *)addr;

	if (info->attrs[KMQTT_A_ADDRESS] || info->attrs[KMQTT_A_PORT]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "give an address and a port, or a path");
		return -EINVAL;
	}
	memset(addr, 0, sizeof(*addr));
	un->sun_family = AF_UNIX;
	nla_strscpy(un->sun_path, attr, sizeof(un->sun_path));
	if (un->sun_path[0] == '/')
		return 0;
	/* Where it is shown, nobody knows what it would be relative to. */
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "a path begins with /");
	return -EINVAL;
}

/* ADDRESS and PORT of a request, or its PATH. Return: 0 or -EINVAL. */
static int kmqtt_nl_get_addr(struct genl_info *info,
			     struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *in6 = (void *)addr;
	struct sockaddr_in *in = (void *)addr;
	const struct nlattr *attr;
	__be16 port;

	if (info->attrs[KMQTT_A_PATH])
		return kmqtt_nl_get_path(info, addr);
	if (KMQTT_NL_LACKS(info, KMQTT_A_ADDRESS,
			   "an address or a path is needed") ||
	    KMQTT_NL_LACKS(info, KMQTT_A_PORT, "a port is needed"))
		return -EINVAL;
	attr = info->attrs[KMQTT_A_ADDRESS];
	port = htons(nla_get_u16(info->attrs[KMQTT_A_PORT]));
	memset(addr, 0, sizeof(*addr));
	if (nla_len(attr) == sizeof(struct in_addr)) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		in->sin_addr.s_addr = nla_get_in_addr(attr);
		return 0;
	}
	if (nla_len(attr) == sizeof(struct in6_addr)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		in6->sin6_addr = nla_get_in6_addr(attr);
		return 0;
	}
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "an address has 4 bytes (IPv4) or 16 (IPv6)");
	return -EINVAL;
}

int kmqtt_nl_listener_new(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct sockaddr_storage addr;
	u8 mode = KMQTT_AUTH_REFUSE;
	struct sk_buff *reply;
	u32 max = 0;
	void *hdr;
	int ret;

	ret = kmqtt_nl_get_addr(info, &addr);
	if (ret)
		return ret;
	/*
	 * Looking up a path takes as long as its file system wants, with what
	 * all of generic netlink waits for; and no program that is made to
	 * write to a socket it was given shall make files.
	 */
	if (attrs[KMQTT_A_PATH] && !netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[KMQTT_A_PATH],
				    "a path takes CAP_NET_ADMIN in the initial user namespace");
		return -EPERM;
	}
	if (attrs[KMQTT_A_AUTH_MODE])
		mode = nla_get_u8(attrs[KMQTT_A_AUTH_MODE]);
	if (attrs[KMQTT_A_MAX_CONNECTIONS])
		max = nla_get_u32(attrs[KMQTT_A_MAX_CONNECTIONS]);
	reply = kmqtt_nl_reply_new(info, KMQTT_CMD_LISTENER_NEW, &hdr);
	if (!reply)
		return -ENOMEM;
	ret = kmqtt_listener_create(kmqtt_nl_broker(info), &addr, mode, max,
				    info->extack);
	if (ret < 0) {
		nlmsg_free(reply);
		return ret;
	}
	return kmqtt_nl_reply_u32(info, reply, hdr, KMQTT_A_LISTENER_ID, ret);
}

int kmqtt_nl_listener_del(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct nlattr *id = info->attrs[KMQTT_A_LISTENER_ID];
	struct kmqtt_listener *listener;
	struct sockaddr_storage addr;
	int ret;

	if (id && (info->attrs[KMQTT_A_ADDRESS] || info->attrs[KMQTT_A_PORT] ||
		   info->attrs[KMQTT_A_PATH])) {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "give the listener's id, or its address and port, or its path");
		return -EINVAL;
	}
	if (!id) {
		ret = kmqtt_nl_get_addr(info, &addr);
		if (ret)
			return ret;
	}
	mutex_lock(&broker->lock);
	listener = id ? kmqtt_listener_by_id(broker, nla_get_u32(id)) :
			kmqtt_listener_by_addr(broker, &addr);
	if (listener)
		kmqtt_listener_remove(listener, false);
	mutex_unlock(&broker->lock);
	if (!listener) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    id ?: info->attrs[KMQTT_A_PATH] ?:
				    info->attrs[KMQTT_A_ADDRESS],
				    "no such listener: LISTENER_GET lists them");
		return -ENOENT;
	}
	return 0;
}

int kmqtt_nl_listener_set(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	struct nlattr **attrs = info->attrs;
	struct kmqtt_listener *listener;

	if (KMQTT_NL_LACKS(info, KMQTT_A_LISTENER_ID,
			   "the id of the listener is needed"))
		return -EINVAL;
	mutex_lock(&broker->lock);
	listener = kmqtt_listener_by_id(broker,
					nla_get_u32(attrs[KMQTT_A_LISTENER_ID]));
	if (listener && attrs[KMQTT_A_AUTH_MODE])
		WRITE_ONCE(listener->auth_mode,
			   nla_get_u8(attrs[KMQTT_A_AUTH_MODE]));
	if (listener && attrs[KMQTT_A_MAX_CONNECTIONS])
		WRITE_ONCE(listener->max_connections,
			   nla_get_u32(attrs[KMQTT_A_MAX_CONNECTIONS]));
	mutex_unlock(&broker->lock);
	if (!listener) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[KMQTT_A_LISTENER_ID],
				    "no such listener: LISTENER_GET lists them");
		return -ENOENT;
	}
	return 0;
}

/* The session that CLIENT_ID names, referenced, or an error. */
static struct kmqtt_session *kmqtt_nl_get_session(struct genl_info *info)
{
	struct kmqtt_session *session;
	struct mqtt_str id;

	if (KMQTT_NL_LACKS(info, KMQTT_A_CLIENT_ID,
			   "a client identifier is needed"))
		return ERR_PTR(-EINVAL);
	id = kmqtt_nl_str(info->attrs[KMQTT_A_CLIENT_ID]);
	session = kmqtt_session_find(kmqtt_nl_broker(info), &id);
	if (session)
		return session;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[KMQTT_A_CLIENT_ID],
			    "no session with this client identifier");
	return ERR_PTR(-ENOENT);
}

int kmqtt_nl_client_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KMQTT_A_REASON];
	u8 reason = attr ? nla_get_u8(attr) : MQTT_RC_ADMINISTRATIVE_ACTION;
	struct kmqtt_conn *conn = NULL;
	struct kmqtt_session *session;

	if (!mqtt_is_disconnect_reason(reason)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "no reason code that a server may disconnect with");
		return -EINVAL;
	}
	session = kmqtt_nl_get_session(info);
	if (IS_ERR(session))
		return PTR_ERR(session);
	spin_lock_bh(&session->lock);
	if (session->conn)
		conn = kmqtt_conn_get(session->conn);
	spin_unlock_bh(&session->lock);
	kmqtt_session_put(session);
	if (!conn) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_CLIENT_ID],
				    "this client is not connected");
		return -ENOENT;
	}
	kmqtt_conn_close(conn, reason);
	kmqtt_conn_put(conn);
	return 0;
}

int kmqtt_nl_session_del(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_session *session = kmqtt_nl_get_session(info);

	if (IS_ERR(session))
		return PTR_ERR(session);
	kmqtt_session_drop(session, MQTT_RC_ADMINISTRATIVE_ACTION);
	kmqtt_session_put(session);
	return 0;
}

int kmqtt_nl_retained_del(struct sk_buff *skb, struct genl_info *info)
{
	struct mqtt_str filter;
	struct sk_buff *reply;
	void *hdr;

	if (KMQTT_NL_LACKS(info, KMQTT_A_FILTER,
			   "a topic filter is needed; # is for all"))
		return -EINVAL;
	filter = kmqtt_nl_str(info->attrs[KMQTT_A_FILTER]);
	if (!mqtt_topic_filter_valid(&filter)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[KMQTT_A_FILTER],
				    "not a topic filter: + and # stand for whole levels, # for the last");
		return -EINVAL;
	}
	reply = kmqtt_nl_reply_new(info, KMQTT_CMD_RETAINED_DEL, &hdr);
	if (!reply)
		return -ENOMEM;
	return kmqtt_nl_reply_u32(info, reply, hdr, KMQTT_A_COUNT,
				  kmqtt_retain_clear(kmqtt_nl_broker(info),
						     &filter));
}

static bool kmqtt_nl_utf8(const struct nlattr *attr)
{
	struct mqtt_str str;

	if (!attr)
		return true;
	str = kmqtt_nl_str(attr);
	return mqtt_utf8_valid(str.data, str.len);
}

/* An ITEM of ACL_SET as a rule. Return: it, or an error. */
static struct kmqtt_acl_rule *kmqtt_nl_get_rule(const struct nlattr *item,
						struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[KMQTT_A_MAX_ATTR + 1];
	struct kmqtt_acl_rule *rule;
	struct mqtt_str filter, name;
	u32 flags = 0;
	int ret;

	ret = nla_parse_nested(attrs, KMQTT_A_MAX_ATTR, item, kmqtt_rule_policy,
			       extack);
	if (ret)
		return ERR_PTR(ret);
	if (!attrs[KMQTT_A_ACCESS] || !attrs[KMQTT_A_FILTER]) {
		NL_SET_ERR_MSG_ATTR(extack, item,
				    "a rule needs an access and a topic filter");
		return ERR_PTR(-EINVAL);
	}
	filter = kmqtt_nl_str(attrs[KMQTT_A_FILTER]);
	if (!mqtt_topic_filter_valid(&filter) ||
	    !mqtt_utf8_valid(filter.data, filter.len)) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[KMQTT_A_FILTER],
				    "not a topic filter: + and # stand for whole levels, # for the last");
		return ERR_PTR(-EINVAL);
	}
	if (attrs[KMQTT_A_RULE_FLAGS])
		flags = nla_get_u32(attrs[KMQTT_A_RULE_FLAGS]);
	if (attrs[KMQTT_A_USERNAME]) {
		if (flags & KMQTT_RULE_EVERYONE) {
			NL_SET_ERR_MSG_ATTR(extack, attrs[KMQTT_A_USERNAME],
					    "a rule is for one user or for everyone");
			return ERR_PTR(-EINVAL);
		}
		name = kmqtt_nl_str(attrs[KMQTT_A_USERNAME]);
	}
	rule = kmqtt_acl_rule_create(nla_get_u8(attrs[KMQTT_A_ACCESS]), flags,
				     attrs[KMQTT_A_USERNAME] ? &name : NULL,
				     &filter);
	if (!rule) {
		NL_SET_ERR_MSG(extack, KMQTT_ACL_NO_MEMORY);
		return ERR_PTR(-ENOMEM);
	}
	return rule;
}

int kmqtt_nl_acl_set(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_acl_rule *rule, *next;
	const struct nlattr *item;
	LIST_HEAD(rules);
	int ret = 0, rem;
	u32 flags;

	if (KMQTT_NL_LACKS(info, KMQTT_A_ACL_FLAGS,
			   "flags are needed, be they 0: start, commit or off"))
		return -EINVAL;
	flags = nla_get_u32(info->attrs[KMQTT_A_ACL_FLAGS]);
	nlmsg_for_each_attr(item, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(item) != KMQTT_A_ITEM)
			continue;
		rule = kmqtt_nl_get_rule(item, info->extack);
		if (IS_ERR(rule)) {
			ret = PTR_ERR(rule);
			goto free_rules;
		}
		list_add_tail(&rule->list, &rules);
	}
	ret = kmqtt_acl_change(kmqtt_nl_broker(info), flags, &rules,
			       info->extack);
free_rules:
	list_for_each_entry_safe(rule, next, &rules, list)
		kmqtt_acl_rule_free(rule);
	return ret;
}

/*
 * An ITEM of CONFIG_SET, checked; put in force if @apply. @host: by somebody
 * who may take the machine's memory. Return: 0, -EPERM, -EINVAL, -ENOENT or -ERANGE.
 */
static int kmqtt_nl_setting(struct kmqtt_broker *broker,
			    const struct nlattr *item, bool host, bool apply,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[KMQTT_A_MAX_ATTR + 1];
	int ret, setting;
	u64 value;

	ret = nla_parse_nested(attrs, KMQTT_A_MAX_ATTR, item,
			       kmqtt_setting_policy, extack);
	if (ret)
		return ret;
	if (!attrs[KMQTT_A_NAME] || !attrs[KMQTT_A_VALUE]) {
		NL_SET_ERR_MSG_ATTR(extack, item,
				    "a setting needs a name and a value");
		return -EINVAL;
	}
	setting = kmqtt_config_find(nla_data(attrs[KMQTT_A_NAME]));
	if (setting < 0) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[KMQTT_A_NAME],
				    "no such setting: CONFIG_GET lists them");
		return setting;
	}
	value = nla_get_u64(attrs[KMQTT_A_VALUE]);
	if (value < kmqtt_settings[setting].min ||
	    value > kmqtt_settings[setting].max) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[KMQTT_A_VALUE],
				    "out of the setting's range: CONFIG_GET shows MIN and MAX");
		return -ERANGE;
	}
	if (value > kmqtt_config_default(setting) &&
	    kmqtt_settings[setting].host_only && !host) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[KMQTT_A_VALUE],
				    "more than the default takes CAP_NET_ADMIN of the initial user namespace");
		return -EPERM;
	}
	if (!apply)
		return 0;
	kmqtt_config_set(broker, setting, value);
	/* Connections without keep alive have no timer yet. */
	if (setting == KMQTT_SET_RETRY_INTERVAL)
		kmqtt_conn_wake_timers(broker);
	return 0;
}

static int kmqtt_nl_settings(struct sk_buff *skb, struct genl_info *info,
			     bool apply)
{
	bool host = netlink_capable(skb, CAP_NET_ADMIN);
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);
	const struct nlattr *item;
	int rem, ret;

	nlmsg_for_each_attr(item, info->nlhdr, GENL_HDRLEN, rem) {
		ret = kmqtt_nl_setting(broker, item, host, apply,
				       info->extack);
		if (ret)
			return ret;
	}
	return 0;
}

int kmqtt_nl_config_set(struct sk_buff *skb, struct genl_info *info)
{
	if (KMQTT_NL_LACKS(info, KMQTT_A_ITEM,
			   "at least one setting is needed"))
		return -EINVAL;
	return kmqtt_nl_settings(skb, info, false) ?:
	       kmqtt_nl_settings(skb, info, true);
}

int kmqtt_nl_authority_set(struct sk_buff *skb, struct genl_info *info)
{
	int ret = kmqtt_authority_set(kmqtt_nl_broker(info), info->snd_portid);

	if (ret == -EBUSY)
		GENL_SET_ERR_MSG(info, "another program is the authority: stop it first");
	return ret;
}

/* An answer in one piece of memory. Return: it, or NULL. */
static struct kmqtt_auth_answer *kmqtt_nl_get_answer(struct nlattr **attrs)
{
	struct mqtt_str name = {}, reason = {}, data = {};
	struct kmqtt_auth_answer *answer;
	char *to;

	if (attrs[KMQTT_A_USERNAME])
		name = kmqtt_nl_str(attrs[KMQTT_A_USERNAME]);
	if (attrs[KMQTT_A_REASON_STRING])
		reason = kmqtt_nl_str(attrs[KMQTT_A_REASON_STRING]);
	if (attrs[KMQTT_A_AUTH_DATA]) {
		data.data = nla_data(attrs[KMQTT_A_AUTH_DATA]);
		data.len = nla_len(attrs[KMQTT_A_AUTH_DATA]);
	}
	answer = kzalloc(sizeof(*answer) + name.len + 1 + reason.len + 1 +
			 data.len, GFP_KERNEL | __GFP_NOWARN);
	if (!answer)
		return NULL;
	to = (char *)(answer + 1);
	answer->reason = nla_get_u8(attrs[KMQTT_A_REASON]);
	if (attrs[KMQTT_A_USERNAME]) {
		answer->username = memcpy(to, name.data, name.len);
		to += name.len + 1;
	}
	if (attrs[KMQTT_A_REASON_STRING]) {
		answer->reason_string = memcpy(to, reason.data, reason.len);
		to += reason.len + 1;
	}
	if (data.len) {
		answer->auth_data.data = memcpy(to, data.data, data.len);
		answer->auth_data.len = data.len;
	}
	return answer;
}

static int kmqtt_nl_check_reply(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	u8 reason;

	if (KMQTT_NL_LACKS(info, KMQTT_A_REQUEST_ID,
			   "the id of the request is needed") ||
	    KMQTT_NL_LACKS(info, KMQTT_A_REASON, "a reason code is needed"))
		return -EINVAL;
	reason = nla_get_u8(attrs[KMQTT_A_REASON]);
	if (reason && reason < MQTT_RC_UNSPECIFIED &&
	    reason != MQTT_RC_CONTINUE_AUTHENTICATION) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[KMQTT_A_REASON],
				    "0x00 accepts, 0x18 goes on, 0x80 and above refuse");
		return -EINVAL;
	}
	if (!kmqtt_nl_utf8(attrs[KMQTT_A_USERNAME])) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[KMQTT_A_USERNAME],
				    "not UTF-8");
		return -EINVAL;
	}
	if (!kmqtt_nl_utf8(attrs[KMQTT_A_REASON_STRING])) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[KMQTT_A_REASON_STRING],
				    "not UTF-8");
		return -EINVAL;
	}
	return 0;
}

int kmqtt_nl_auth_reply(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_auth_answer *answer;
	int ret;

	ret = kmqtt_nl_check_reply(info);
	if (ret)
		return ret;
	answer = kmqtt_nl_get_answer(info->attrs);
	if (!answer) {
		GENL_SET_ERR_MSG(info, "no memory for the answer: the request still waits");
		return -ENOMEM;
	}
	ret = kmqtt_authority_reply(kmqtt_nl_broker(info), info->snd_portid,
				    nla_get_u64(info->attrs[KMQTT_A_REQUEST_ID]),
				    answer);
	if (!ret)
		return 0;
	kfree(answer);
	if (ret == -EPERM)
		GENL_SET_ERR_MSG(info,
				 "this socket is not the authority: AUTHORITY_SET makes it that");
	else if (ret == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[KMQTT_A_REQUEST_ID],
				    "this request is over: answered, too late, or its client is gone");
	else
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[KMQTT_A_REASON],
				    "0x18 is for clients with an authentication method");
	return ret;
}

int kmqtt_nl_broker_stop(struct sk_buff *skb, struct genl_info *info)
{
	struct kmqtt_broker *broker = kmqtt_nl_broker(info);

	mutex_lock(&broker->stop_lock);
	kmqtt_broker_stop(broker, false);
	mutex_unlock(&broker->stop_lock);
	return 0;
}
