/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of the control plane: what its files share. */
#ifndef KMQTT_NETLINK_H
#define KMQTT_NETLINK_H

#include <linux/rhashtable.h>
#include <net/genetlink.h>
#include <linux/kmqtt.h>
#include "core/packet.h"

struct kmqtt_auth_answer;
struct kmqtt_broker;
struct sockaddr_storage;

/* Longest string in dumps and events (bytes); longer ones are cut. */
#define KMQTT_NL_STRING_MAX	4096

/* Longest string that an attribute can carry, without its NUL (bytes). */
#define KMQTT_NL_ATTR_STRING	(U16_MAX - NLA_HDRLEN - 1)

/*
 * Room for one object of a dump: two strings of the longest kind, a payload's
 * beginning and numbers; below the 16 KiB that libnl reads with by default.
 */
#define KMQTT_NL_DUMP_SIZE	12288

/* First bytes of a retained message's payload in a dump. */
#define KMQTT_NL_PAYLOAD_MAX	1024

/* Index of the multicast group for events. */
#define KMQTT_NL_EVENTS		0

/* netlink.c: the family and what builds messages */

extern struct genl_family kmqtt_genl_family;

/* What an ITEM of ACL_SET and of CONFIG_SET holds. */
extern const struct nla_policy kmqtt_rule_policy[KMQTT_A_MAX_ATTR + 1];
extern const struct nla_policy kmqtt_setting_policy[KMQTT_A_MAX_ATTR + 1];

/*
 * Is the family registered? Its group numbers mean others otherwise. Asked
 * inside an RCU read section that lasts until the message is sent.
 */
bool kmqtt_nl_ready(void);

/* A NUL-terminated string attribute, whole. Return: 0 or -EMSGSIZE. */
int kmqtt_nl_put_str(struct sk_buff *skb, int attr, const struct mqtt_str *str);

/* The same, cut to KMQTT_NL_STRING_MAX bytes at a character's end. */
int kmqtt_nl_put_cut(struct sk_buff *skb, int attr, const struct mqtt_str *str);

static inline int kmqtt_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, KMQTT_A_PAD);
}

/* ADDRESS and PORT of @addr, or its PATH. Return: 0 or -EMSGSIZE. */
int kmqtt_nl_put_addr(struct sk_buff *skb, const struct sockaddr *addr);

/* A validated string attribute as bytes. */
static inline struct mqtt_str kmqtt_nl_str(const struct nlattr *attr)
{
	struct mqtt_str str = {
		.data = nla_data(attr),
		.len = strnlen(nla_data(attr), nla_len(attr)),
	};

	return str;
}

/* netlink_act.c: commands that change something */

int kmqtt_nl_listener_new(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_listener_del(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_listener_set(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_client_del(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_session_del(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_retained_del(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_acl_set(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_config_set(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_authority_set(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_auth_reply(struct sk_buff *skb, struct genl_info *info);
int kmqtt_nl_broker_stop(struct sk_buff *skb, struct genl_info *info);

/* netlink_get.c: dumps, and what they have in common */

struct kmqtt_broker *kmqtt_nl_cb_broker(struct netlink_callback *cb);

/* Begin an object of a dump. Return: its header, or NULL: no room. */
void *kmqtt_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

/* What a dump returns when an object did not fit into @skb any more. */
int kmqtt_nl_dump_full(const struct sk_buff *skb);

/* At the front of cb->ctx: a walker, kept from message to message. */
struct kmqtt_nl_walk {
	struct rhashtable_iter *iter;
};

/* Fill in one object. Return: 0, or -EMSGSIZE if there is no room. */
typedef int (*kmqtt_nl_fill_t)(struct sk_buff *skb, struct netlink_callback *cb,
			       void *obj);

int kmqtt_nl_walk_start(struct netlink_callback *cb, struct rhashtable *table);
/* One message full of objects; @fill runs under the RCU read lock. */
int kmqtt_nl_walk_dump(struct sk_buff *skb, struct netlink_callback *cb,
		       kmqtt_nl_fill_t fill);
void kmqtt_nl_walk_done(struct netlink_callback *cb);

int kmqtt_nl_table_start(struct netlink_callback *cb);
int kmqtt_nl_listener_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_config_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_stats_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_session_start(struct netlink_callback *cb);
int kmqtt_nl_session_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_client_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_session_done(struct netlink_callback *cb);

/* netlink_topics.c: dumps of subscriptions, retained messages and rules */

int kmqtt_nl_sub_start(struct netlink_callback *cb);
int kmqtt_nl_sub_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_sub_done(struct netlink_callback *cb);
int kmqtt_nl_retained_start(struct netlink_callback *cb);
int kmqtt_nl_retained_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_retained_done(struct netlink_callback *cb);
int kmqtt_nl_acl_start(struct netlink_callback *cb);
int kmqtt_nl_acl_dump(struct sk_buff *skb, struct netlink_callback *cb);
int kmqtt_nl_acl_done(struct netlink_callback *cb);

/* authority.c: who answers */

/**
 * kmqtt_authority_set() - make a socket the authority
 * @portid: of the socket
 *
 * Requests without an authority are sent to it. Context: process.
 * Return: 0, or -EBUSY if another socket is.
 */
int kmqtt_authority_set(struct kmqtt_broker *broker, u32 portid);

/* The socket @portid is closed: if it was the authority, there is none now. */
void kmqtt_authority_released(struct kmqtt_broker *broker, u32 portid);

/**
 * kmqtt_authority_reply() - an answer came in
 * @portid: from which socket
 * @id: to which request
 * @answer: taken over on success
 *
 * Return: 0, -EPERM (not the authority), -ENOENT (no such request), -EINVAL
 * (0x18 for a client without an authentication method).
 */
int kmqtt_authority_reply(struct kmqtt_broker *broker, u32 portid, u64 id,
			  struct kmqtt_auth_answer *answer);

#endif
