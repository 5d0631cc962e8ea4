// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink dumps about topics: subscriptions, by a walker of their index, or
 * those of one session by its list; retained messages, by references that are
 * gathered at the start; access rules, by a reference to the set in force.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include "acl.h"
#include "broker.h"
#include "compat.h"
#include "core/topic.h"
#include "netlink.h"
#include "retain.h"
#include "session.h"
#include "subscription.h"

/*
 * Subscriptions. With CLIENT_ID: @session is set and @next counts within its
 * list. @filter is where a topic filter is put together.
 */
struct kmqtt_nl_subs {
	struct kmqtt_nl_walk all;
	struct kmqtt_session *session;
	u8 *filter;
	u32 next;
};

static struct kmqtt_nl_subs *kmqtt_nl_subs(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kmqtt_nl_subs) > sizeof(cb->ctx));
	return (struct kmqtt_nl_subs *)cb->ctx;
}

/* One byte more than is shown: where it is cut must be seen. */
#define KMQTT_NL_FILTER_SIZE	(KMQTT_NL_STRING_MAX + 1)

/* As subscribed, with $share/ in front. broker->lock held. */
static struct mqtt_str kmqtt_nl_sub_filter(const struct kmqtt_sub *sub, u8 *buf)
{
	static const char share[] = "$share/";
	struct mqtt_str filter = { .data = buf };
	u32 at = 0;

	if (sub->group) {
		memcpy(buf, share, sizeof(share) - 1);
		at = sizeof(share) - 1;
		filter.len = min_t(u32, sub->group->len,
				   KMQTT_NL_FILTER_SIZE - at - 1);
		memcpy(buf + at, sub->group->name, filter.len);
		at += filter.len;
		buf[at++] = '/';
	}
	filter.len = at + mqtt_tree_topic(sub->node, buf + at,
					  KMQTT_NL_FILTER_SIZE - at);
	filter.len = min_t(u32, filter.len, KMQTT_NL_FILTER_SIZE);
	return filter;
}

static int kmqtt_nl_fill_sub(struct sk_buff *skb, struct netlink_callback *cb,
			     void *obj)
{
	struct kmqtt_sub *sub = obj;
	struct mqtt_str filter = kmqtt_nl_sub_filter(sub,
						     kmqtt_nl_subs(cb)->filter);
	void *hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_SUBSCRIPTION_GET);
	u32 sub_id = READ_ONCE(sub->sub_id);
	u8 options = READ_ONCE(sub->options);

	if (!hdr)
		return -EMSGSIZE;
	if (kmqtt_nl_put_cut(skb, KMQTT_A_CLIENT_ID,
			     &sub->session->client_id) ||
	    kmqtt_nl_put_cut(skb, KMQTT_A_FILTER, &filter) ||
	    nla_put_u8(skb, KMQTT_A_QOS, options & MQTT_SUB_QOS_MASK) ||
	    nla_put_u8(skb, KMQTT_A_OPTIONS, options) ||
	    (sub_id && nla_put_u32(skb, KMQTT_A_SUBSCRIPTION_ID, sub_id))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* broker->lock held */
static int kmqtt_nl_dump_session_subs(struct sk_buff *skb,
				      struct netlink_callback *cb)
{
	struct kmqtt_nl_subs *subs = kmqtt_nl_subs(cb);
	struct kmqtt_sub *sub;
	u32 at = 0;

	list_for_each_entry(sub, &subs->session->subs, of_session) {
		if (at++ < subs->next)
			continue;
		if (kmqtt_nl_fill_sub(skb, cb, sub))
			return kmqtt_nl_dump_full(skb);
		subs->next++;
	}
	return 0;
}

/* With the first message: a text about a failing start is lost before 6.8. */
static int kmqtt_nl_find_session(struct netlink_callback *cb,
				 struct kmqtt_nl_subs *subs)
{
	struct nlattr *attr = kmqtt_compat_dump_attrs(cb)[KMQTT_A_CLIENT_ID];
	struct mqtt_str id = kmqtt_nl_str(attr);

	subs->session = kmqtt_session_find(kmqtt_nl_cb_broker(cb), &id);
	if (subs->session)
		return 0;
	NL_SET_ERR_MSG_ATTR(cb->extack, attr,
			    "no session with this client identifier");
	return -ENOENT;
}

int kmqtt_nl_sub_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = kmqtt_compat_dump_attrs(cb);
	struct kmqtt_nl_subs *subs = kmqtt_nl_subs(cb);
	int ret;

	subs->filter = kmalloc(KMQTT_NL_FILTER_SIZE, GFP_KERNEL);
	if (!subs->filter)
		return -ENOMEM;
	cb->min_dump_alloc = KMQTT_NL_DUMP_SIZE;
	if (attrs[KMQTT_A_CLIENT_ID])
		return 0;
	ret = kmqtt_nl_walk_start(cb, &kmqtt_nl_cb_broker(cb)->sub_index);
	if (ret)
		kfree(subs->filter);
	return ret;
}

int kmqtt_nl_sub_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_broker *broker = kmqtt_nl_cb_broker(cb);
	struct kmqtt_nl_subs *subs = kmqtt_nl_subs(cb);
	int ret;

	if (!subs->all.iter && !subs->session) {
		ret = kmqtt_nl_find_session(cb, subs);
		if (ret)
			return ret;
	}
	mutex_lock(&broker->lock);
	if (subs->session)
		ret = kmqtt_nl_dump_session_subs(skb, cb);
	else
		ret = kmqtt_nl_walk_dump(skb, cb, kmqtt_nl_fill_sub);
	mutex_unlock(&broker->lock);
	return ret;
}

int kmqtt_nl_sub_done(struct netlink_callback *cb)
{
	struct kmqtt_nl_subs *subs = kmqtt_nl_subs(cb);

	if (subs->session)
		kmqtt_session_put(subs->session);
	kmqtt_nl_walk_done(cb);
	kfree(subs->filter);
	return 0;
}

/* References to messages, one page of them. */
struct kmqtt_nl_page {
	struct kmqtt_nl_page *next;
	u32 nr;
	struct kmqtt_msg *msgs[];
};

#define KMQTT_NL_PAGE_MSGS \
	((PAGE_SIZE - sizeof(struct kmqtt_nl_page)) / sizeof(struct kmqtt_msg *))

/*
 * Retained messages: a dump owns references to all it will show. It costs a
 * pointer for each, and the tree need not be held or searched again.
 */
struct kmqtt_nl_retained {
	struct kmqtt_broker *broker;
	struct kmqtt_nl_page *first;
	struct kmqtt_nl_page *last;
	u32 next;
	bool gathered;
};

static struct kmqtt_nl_retained *kmqtt_nl_retained(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kmqtt_nl_retained) > sizeof(cb->ctx));
	return (struct kmqtt_nl_retained *)cb->ctx;
}

static void kmqtt_nl_page_free(struct kmqtt_nl_retained *dump,
			       struct kmqtt_nl_page *page)
{
	u32 i;

	for (i = 0; i < page->nr; i++)
		kmqtt_msg_put(page->msgs[i]);
	kfree(page);
	kmqtt_uncharge(dump->broker, PAGE_SIZE);
}

static struct kmqtt_nl_page *kmqtt_nl_page_add(struct kmqtt_nl_retained *dump)
{
	struct kmqtt_nl_page *page;

	if (!kmqtt_charge(dump->broker, PAGE_SIZE))
		return NULL;
	page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!page) {
		kmqtt_uncharge(dump->broker, PAGE_SIZE);
		return NULL;
	}
	page->next = NULL;
	page->nr = 0;
	if (dump->last)
		dump->last->next = page;
	else
		dump->first = page;
	dump->last = page;
	return page;
}

/* mqtt_visit_t; under retain_lock or inside kmqtt_srcu */
static int kmqtt_nl_gather(struct mqtt_node *node, void *arg)
{
	struct kmqtt_nl_retained *dump = arg;
	struct kmqtt_nl_page *page = dump->last;
	struct kmqtt_retained *retained;

	hlist_for_each_entry_srcu(retained, &node->entries, link,
				  srcu_read_lock_held(kmqtt_srcu) ||
				  lockdep_is_held(&dump->broker->retain_lock)) {
		if (!page || page->nr == KMQTT_NL_PAGE_MSGS)
			page = kmqtt_nl_page_add(dump);
		if (!page)
			return -ENOMEM;
		page->msgs[page->nr++] = kmqtt_msg_get(retained->msg);
	}
	return 0;
}

static int kmqtt_nl_gather_all(struct kmqtt_nl_retained *dump)
{
	int ret;

	mutex_lock(&dump->broker->retain_lock);
	ret = mqtt_tree_walk(&dump->broker->retained, kmqtt_nl_gather, dump);
	mutex_unlock(&dump->broker->retain_lock);
	return ret;
}

static int kmqtt_nl_gather_matching(struct kmqtt_nl_retained *dump,
				    const struct nlattr *attr,
				    struct netlink_ext_ack *extack)
{
	struct mqtt_str filter = kmqtt_nl_str(attr);
	int idx, ret;

	if (!mqtt_topic_filter_valid(&filter)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "not a topic filter: + and # stand for whole levels, # for the last");
		return -EINVAL;
	}
	idx = srcu_read_lock(kmqtt_srcu);
	ret = mqtt_tree_match_filter(&dump->broker->retained, &filter,
				     kmqtt_nl_gather, dump);
	srcu_read_unlock(kmqtt_srcu, idx);
	return ret;
}

int kmqtt_nl_retained_start(struct netlink_callback *cb)
{
	kmqtt_nl_retained(cb)->broker = kmqtt_nl_cb_broker(cb);
	cb->min_dump_alloc = KMQTT_NL_DUMP_SIZE;
	return 0;
}

/* With the first message, as kmqtt_nl_find_session(). */
static int kmqtt_nl_gather_once(struct netlink_callback *cb,
				struct kmqtt_nl_retained *dump)
{
	struct nlattr *filter = kmqtt_compat_dump_attrs(cb)[KMQTT_A_FILTER];
	int ret;

	if (dump->gathered)
		return 0;
	dump->gathered = true;
	if (filter)
		ret = kmqtt_nl_gather_matching(dump, filter, cb->extack);
	else
		ret = kmqtt_nl_gather_all(dump);
	if (ret == -ENOMEM)
		NL_SET_ERR_MSG(cb->extack,
			       "no memory to list so many: give a filter");
	return ret;
}

static int kmqtt_nl_fill_retained(struct sk_buff *skb,
				  struct netlink_callback *cb,
				  const struct kmqtt_msg *msg)
{
	u64 now = get_jiffies_64();
	void *hdr;

	if (kmqtt_msg_expired(msg, now))
		return 0;
	hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_RETAINED_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (kmqtt_nl_put_cut(skb, KMQTT_A_TOPIC, &msg->topic) ||
	    nla_put_u8(skb, KMQTT_A_QOS, msg->qos) ||
	    nla_put_u32(skb, KMQTT_A_SIZE, msg->payload.len) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_AGE,
			     jiffies64_to_msecs(now - msg->created)) ||
	    (msg->expires &&
	     nla_put_u32(skb, KMQTT_A_EXPIRY,
			 div_u64(msg->expires - now, HZ))) ||
	    nla_put(skb, KMQTT_A_PAYLOAD,
		    min_t(u32, msg->payload.len, KMQTT_NL_PAYLOAD_MAX),
		    msg->payload.data)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int kmqtt_nl_retained_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_nl_retained *dump = kmqtt_nl_retained(cb);
	struct kmqtt_nl_page *page;
	int ret;

	ret = kmqtt_nl_gather_once(cb, dump);
	if (ret)
		return ret;
	while (dump->first) {
		page = dump->first;
		for (; dump->next < page->nr; dump->next++)
			if (kmqtt_nl_fill_retained(skb, cb,
						   page->msgs[dump->next]))
				return kmqtt_nl_dump_full(skb);
		dump->first = page->next;
		dump->next = 0;
		kmqtt_nl_page_free(dump, page);
	}
	return 0;
}

int kmqtt_nl_retained_done(struct netlink_callback *cb)
{
	struct kmqtt_nl_retained *dump = kmqtt_nl_retained(cb);
	struct kmqtt_nl_page *page, *next;

	for (page = dump->first; page; page = next) {
		next = page->next;
		kmqtt_nl_page_free(dump, page);
	}
	dump->first = NULL;
	return 0;
}

/*
 * Rules: those in force at the start.
 * @at: the next one to show, or the list's head behind the last
 */
struct kmqtt_nl_rules {
	struct kmqtt_acl *acl;
	struct list_head *at;
	bool told;
};

static struct kmqtt_nl_rules *kmqtt_nl_rules(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kmqtt_nl_rules) > sizeof(cb->ctx));
	return (struct kmqtt_nl_rules *)cb->ctx;
}

int kmqtt_nl_acl_start(struct netlink_callback *cb)
{
	struct kmqtt_nl_rules *rules = kmqtt_nl_rules(cb);

	cb->min_dump_alloc = KMQTT_NL_DUMP_SIZE;
	rules->acl = kmqtt_acl_get(kmqtt_nl_cb_broker(cb));
	if (rules->acl)
		rules->at = rules->acl->rules.next;
	return 0;
}

static int kmqtt_nl_put_rule(struct sk_buff *skb,
			     const struct kmqtt_acl_rule *rule)
{
	struct nlattr *nest = nla_nest_start(skb, KMQTT_A_ITEM);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, KMQTT_A_ACCESS, rule->access) ||
	    kmqtt_nl_put_cut(skb, KMQTT_A_FILTER, &rule->filter) ||
	    (rule->has_username &&
	     kmqtt_nl_put_cut(skb, KMQTT_A_USERNAME, &rule->username)) ||
	    nla_put_u32(skb, KMQTT_A_RULE_FLAGS, rule->flags))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* @rule: NULL: only whether rules are in force */
static int kmqtt_nl_fill_rule(struct sk_buff *skb, struct netlink_callback *cb,
			      const struct kmqtt_acl_rule *rule)
{
	u32 flags = kmqtt_nl_rules(cb)->acl ? KMQTT_ACL_COMMIT : KMQTT_ACL_OFF;
	void *hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_ACL_GET);

	if (!hdr)
		return -EMSGSIZE;
	if ((!rule && nla_put_u32(skb, KMQTT_A_ACL_FLAGS, flags)) ||
	    (rule && kmqtt_nl_put_rule(skb, rule))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int kmqtt_nl_acl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_nl_rules *rules = kmqtt_nl_rules(cb);
	struct kmqtt_acl_rule *rule;

	if (!rules->told) {
		if (kmqtt_nl_fill_rule(skb, cb, NULL))
			return kmqtt_nl_dump_full(skb);
		rules->told = true;
	}
	if (!rules->acl)
		return 0;
	for (; rules->at != &rules->acl->rules; rules->at = rules->at->next) {
		rule = list_entry(rules->at, struct kmqtt_acl_rule, list);
		if (kmqtt_nl_fill_rule(skb, cb, rule))
			return kmqtt_nl_dump_full(skb);
	}
	return 0;
}

int kmqtt_nl_acl_done(struct netlink_callback *cb)
{
	kmqtt_acl_put(kmqtt_nl_rules(cb)->acl);
	return 0;
}
