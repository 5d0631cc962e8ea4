/* SPDX-License-Identifier: GPL-2.0 */
/* Access rules, as netlink hands them over and dumps them. */
#ifndef KMQTT_ACL_H
#define KMQTT_ACL_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include "core/packet.h"

struct kmqtt_broker;
struct netlink_ext_ack;

/* Rules of one broker, staged or in force. */
#define KMQTT_ACL_RULES_MAX	1000000

/* What is said with -ENOMEM. */
#define KMQTT_ACL_NO_MEMORY	"no memory for the rules: the old ones stay in force"

/**
 * struct kmqtt_acl_rule - one rule; never changed once made
 * @list: in acl->rules, in the order they came
 * @next: next rule of the same holder and effect; set when compiled
 * @access: enum kmqtt_access bits
 * @flags: enum kmqtt_rule_flags
 * @has_username: for one user; else for everyone or for anonymous clients
 * @username: NUL-terminated, in @data
 * @filter: in @data
 * @data: user name, NUL, topic filter
 */
struct kmqtt_acl_rule {
	struct list_head list;
	struct kmqtt_acl_rule *next;
	u8 access;
	u8 flags;
	bool has_username;
	struct mqtt_str username;
	struct mqtt_str filter;
	u8 data[];
};

/**
 * struct kmqtt_acl_chain - the rules of one holder, by their effect
 * @deny: first of those that forbid
 * @allow: first of those that allow
 */
struct kmqtt_acl_chain {
	struct kmqtt_acl_rule *deny;
	struct kmqtt_acl_rule *allow;
};

/**
 * struct kmqtt_acl - a set of rules
 * @ref: being in force, each dump
 * @broker: whose memory it is charged to
 * @rules: all of them
 * @nr: how many
 * @charged: bytes accounted
 * @compiled: what follows is set up
 * @everyone: rules for all clients
 * @anonymous: rules for clients without a user name
 * @users: struct kmqtt_acl_user by name
 */
struct kmqtt_acl {
	refcount_t ref;
	struct kmqtt_broker *broker;
	struct list_head rules;
	u32 nr;
	size_t charged;
	bool compiled;
	struct kmqtt_acl_chain everyone;
	struct kmqtt_acl_chain anonymous;
	struct rhashtable users;
};

/**
 * kmqtt_acl_rule_create() - make a rule
 * @username: or NULL
 *
 * The caller has checked flags, access and filter.
 * Return: a rule that the caller owns, or NULL.
 */
struct kmqtt_acl_rule *kmqtt_acl_rule_create(u8 access, u8 flags,
					     const struct mqtt_str *username,
					     const struct mqtt_str *filter);
void kmqtt_acl_rule_free(struct kmqtt_acl_rule *rule);

/**
 * kmqtt_acl_change() - what ACL_SET does
 * @flags: enum kmqtt_acl_flags
 * @rules: list of struct kmqtt_acl_rule to stage; emptied on success
 *
 * Context: process; with ACL_COMMIT or ACL_OFF it waits for readers of the old
 * rules. Return: 0, or -EINVAL, -E2BIG, -ENOMEM with nothing changed.
 */
int kmqtt_acl_change(struct kmqtt_broker *broker, u32 flags,
		     struct list_head *rules, struct netlink_ext_ack *extack);

/* The rules in force with a reference, or NULL: no access control. */
struct kmqtt_acl *kmqtt_acl_get(struct kmqtt_broker *broker);

/* Context: process; frees a million rules if it was the last reference. */
void kmqtt_acl_put(struct kmqtt_acl *acl);

#endif
