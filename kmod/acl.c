// SPDX-License-Identifier: GPL-2.0
/* Access rules: staged, compiled, put in force in one step, and applied. */
#include "acl.h"

#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "control.h"
#include "core/rhash.h"
#include "core/topic.h"
#include "session.h"

/**
 * struct kmqtt_acl_user - the rules of one user name
 * @hash: in acl->users
 * @name: in the first of its rules
 * @chain: the rules
 */
struct kmqtt_acl_user {
	struct rhash_head hash;
	struct mqtt_str name;
	struct kmqtt_acl_chain chain;
};

/* Whom a question is about. */
struct kmqtt_acl_who {
	struct mqtt_str client_id;
	struct mqtt_str username;
	bool has_username;
};

static u32 kmqtt_acl_user_key_hash(const void *data, u32 len, u32 seed)
{
	const struct mqtt_str *name = data;

	return jhash(name->data, name->len, seed);
}

static u32 kmqtt_acl_user_hash(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_acl_user *user = data;

	return kmqtt_acl_user_key_hash(&user->name, len, seed);
}

static int kmqtt_acl_user_cmp(struct rhashtable_compare_arg *arg,
			      const void *obj)
{
	const struct kmqtt_acl_user *user = obj;
	const struct mqtt_str *name = arg->key;

	return user->name.len != name->len ||
	       memcmp(user->name.data, name->data, name->len);
}

static const struct rhashtable_params kmqtt_acl_users = {
	.head_offset = offsetof(struct kmqtt_acl_user, hash),
	.hashfn = kmqtt_acl_user_key_hash,
	.obj_hashfn = kmqtt_acl_user_hash,
	.obj_cmpfn = kmqtt_acl_user_cmp,
	.automatic_shrinking = false,
};

struct kmqtt_acl_rule *kmqtt_acl_rule_create(u8 access, u8 flags,
					     const struct mqtt_str *username,
					     const struct mqtt_str *filter)
{
	u32 name_len = username ? username->len : 0;
	struct kmqtt_acl_rule *rule;

	rule = kzalloc(struct_size(rule, data, name_len + 1 + filter->len),
		       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rule)
		return NULL;
	INIT_LIST_HEAD(&rule->list);
	rule->access = access;
	rule->flags = flags;
	rule->has_username = username;
	rule->username.data = rule->data;
	rule->username.len = name_len;
	if (name_len)
		memcpy(rule->data, username->data, name_len);
	rule->filter.data = rule->data + name_len + 1;
	rule->filter.len = filter->len;
	memcpy(rule->data + name_len + 1, filter->data, filter->len);
	return rule;
}

void kmqtt_acl_rule_free(struct kmqtt_acl_rule *rule)
{
	kfree(rule);
}

static size_t kmqtt_acl_rule_size(const struct kmqtt_acl_rule *rule)
{
	return kmalloc_size_roundup(struct_size(rule, data, rule->username.len +
						1 + rule->filter.len));
}

static struct kmqtt_acl *kmqtt_acl_create(struct kmqtt_broker *broker)
{
	struct kmqtt_acl *acl = kzalloc(sizeof(*acl), GFP_KERNEL);

	if (!acl)
		return NULL;
	refcount_set(&acl->ref, 1);
	acl->broker = broker;
	INIT_LIST_HEAD(&acl->rules);
	return acl;
}

static void kmqtt_acl_user_free(void *user, void *arg)
{
	kfree(user);
}

static void kmqtt_acl_decompile(struct kmqtt_acl *acl)
{
	if (!acl->compiled)
		return;
	rhashtable_free_and_destroy(&acl->users, kmqtt_acl_user_free, NULL);
	memset(&acl->everyone, 0, sizeof(acl->everyone));
	memset(&acl->anonymous, 0, sizeof(acl->anonymous));
	acl->compiled = false;
}

static void kmqtt_acl_free(struct kmqtt_acl *acl)
{
	struct kmqtt_acl_rule *rule, *next;

	kmqtt_acl_decompile(acl);
	list_for_each_entry_safe(rule, next, &acl->rules, list) {
		kmqtt_acl_rule_free(rule);
		cond_resched();
	}
	kmqtt_uncharge(acl->broker, acl->charged);
	kfree(acl);
}

void kmqtt_acl_put(struct kmqtt_acl *acl)
{
	if (acl && refcount_dec_and_test(&acl->ref))
		kmqtt_acl_free(acl);
}

struct kmqtt_acl *kmqtt_acl_get(struct kmqtt_broker *broker)
{
	struct kmqtt_acl *acl;

	mutex_lock(&broker->acl_lock);
	acl = rcu_dereference_protected(broker->acl,
					lockdep_is_held(&broker->acl_lock));
	if (acl)
		refcount_inc(&acl->ref);
	mutex_unlock(&broker->acl_lock);
	return acl;
}

/* The chain that @rule belongs to, or NULL without memory. */
static struct kmqtt_acl_chain *kmqtt_acl_chain_of(struct kmqtt_acl *acl,
						  struct kmqtt_acl_rule *rule)
{
	struct kmqtt_acl_user *user;

	if (rule->flags & KMQTT_RULE_EVERYONE)
		return &acl->everyone;
	if (!rule->has_username)
		return &acl->anonymous;
	user = rhashtable_lookup_fast(&acl->users, &rule->username,
				      kmqtt_acl_users);
	if (user)
		return &user->chain;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	if (!kmqtt_charge(acl->broker, sizeof(*user)))
		goto err_user;
	user->name = rule->username;
	if (mqtt_rhash_insert(&acl->users, &user->hash, kmqtt_acl_users))
		goto err_charge;
	acl->charged += sizeof(*user);
	return &user->chain;

err_charge:
	kmqtt_uncharge(acl->broker, sizeof(*user));
err_user:
	kfree(user);
	return NULL;
}

/* Sort the rules by whom they are for. Return: 0 or -ENOMEM. */
static int kmqtt_acl_compile(struct kmqtt_acl *acl)
{
	struct kmqtt_acl_chain *chain;
	struct kmqtt_acl_rule *rule, **head;
	size_t charged = acl->charged;
	int ret;

	ret = rhashtable_init(&acl->users, &kmqtt_acl_users);
	if (ret)
		return ret;
	acl->compiled = true;
	list_for_each_entry(rule, &acl->rules, list) {
		chain = kmqtt_acl_chain_of(acl, rule);
		if (!chain)
			goto err_compiled;
		head = rule->flags & KMQTT_RULE_DENY ? &chain->deny :
						       &chain->allow;
		rule->next = *head;
		*head = rule;
		cond_resched();
	}
	return 0;

err_compiled:
	kmqtt_acl_decompile(acl);
	kmqtt_uncharge(acl->broker, acl->charged - charged);
	acl->charged = charged;
	return -ENOMEM;
}

/* acl_lock held. Return: the rules that were in force, to be put outside. */
static struct kmqtt_acl *kmqtt_acl_replace(struct kmqtt_broker *broker,
					   struct kmqtt_acl *acl)
{
	lockdep_assert_held(&broker->acl_lock);
	return rcu_replace_pointer(broker->acl, acl,
				   lockdep_is_held(&broker->acl_lock));
}

static int kmqtt_acl_stage(struct kmqtt_broker *broker, u32 flags,
			   struct list_head *rules,
			   struct netlink_ext_ack *extack)
{
	struct kmqtt_acl *acl = broker->acl_staged;
	struct kmqtt_acl_rule *rule;
	size_t size = 0;
	u32 nr = 0;

	list_for_each_entry(rule, rules, list) {
		size += kmqtt_acl_rule_size(rule);
		nr++;
	}
	if (!acl || flags & KMQTT_ACL_START) {
		acl = kmqtt_acl_create(broker);
		if (!acl) {
			NL_SET_ERR_MSG(extack, KMQTT_ACL_NO_MEMORY);
			return -ENOMEM;
		}
	}
	if (nr > KMQTT_ACL_RULES_MAX - acl->nr) {
		NL_SET_ERR_MSG(extack, "more than 1,000,000 rules");
		if (acl != broker->acl_staged)
			kmqtt_acl_free(acl);
		return -E2BIG;
	}
	if (!kmqtt_charge(broker, size)) {
		NL_SET_ERR_MSG(extack, "memory_max is reached: raise it or use fewer rules");
		if (acl != broker->acl_staged)
			kmqtt_acl_free(acl);
		return -ENOMEM;
	}
	acl->nr += nr;
	acl->charged += size;
	list_splice_tail_init(rules, &acl->rules);
	if (acl != broker->acl_staged && broker->acl_staged)
		kmqtt_acl_free(broker->acl_staged);
	broker->acl_staged = acl;
	return 0;
}

static int kmqtt_acl_check_flags(struct kmqtt_broker *broker, u32 flags,
				 struct list_head *rules,
				 struct netlink_ext_ack *extack)
{
	if (flags & KMQTT_ACL_OFF &&
	    (flags != KMQTT_ACL_OFF || !list_empty(rules))) {
		NL_SET_ERR_MSG(extack, "ACL_OFF goes with nothing else");
		return -EINVAL;
	}
	if (flags == KMQTT_ACL_COMMIT && list_empty(rules) &&
	    !broker->acl_staged) {
		NL_SET_ERR_MSG(extack,
			       "nothing is staged: begin with ACL_START");
		return -EINVAL;
	}
	return 0;
}

int kmqtt_acl_change(struct kmqtt_broker *broker, u32 flags,
		     struct list_head *rules, struct netlink_ext_ack *extack)
{
	struct kmqtt_acl *old = NULL, *staged = NULL;
	int ret;

	mutex_lock(&broker->acl_lock);
	ret = kmqtt_acl_check_flags(broker, flags, rules, extack);
	if (ret)
		goto unlock;
	if (flags & KMQTT_ACL_OFF) {
		old = kmqtt_acl_replace(broker, NULL);
		swap(staged, broker->acl_staged);
		goto unlock;
	}
	if (flags & KMQTT_ACL_START || !list_empty(rules)) {
		ret = kmqtt_acl_stage(broker, flags, rules, extack);
		if (ret)
			goto unlock;
	}
	if (flags & KMQTT_ACL_COMMIT) {
		ret = kmqtt_acl_compile(broker->acl_staged);
		if (ret) {
			NL_SET_ERR_MSG(extack, KMQTT_ACL_NO_MEMORY);
			goto unlock;
		}
		old = kmqtt_acl_replace(broker, broker->acl_staged);
		broker->acl_staged = NULL;
	}
unlock:
	mutex_unlock(&broker->acl_lock);
	if (staged)
		kmqtt_acl_free(staged);
	if (old) {
		synchronize_rcu();
		kmqtt_acl_put(old);
	}
	return ret;
}

void kmqtt_acl_reset(struct kmqtt_broker *broker)
{
	LIST_HEAD(none);

	kmqtt_acl_change(broker, KMQTT_ACL_OFF, &none, NULL);
}

/* A value that would change the shape of a filter makes no rule. */
static bool kmqtt_acl_substitutable(const struct mqtt_str *value, bool leads)
{
	u32 i;

	if (leads && value->len && value->data[0] == '$')
		return false;
	for (i = 0; i < value->len; i++)
		if (value->data[i] == '+' || value->data[i] == '#' ||
		    value->data[i] == '/')
			return false;
	return true;
}

/* What stands at @at of a pattern: %c, %u, or NULL for the byte itself. */
static const struct mqtt_str *
kmqtt_acl_substitute(const struct mqtt_str *pattern, u32 at,
		     const struct kmqtt_acl_who *who)
{
	if (pattern->data[at] != '%' || at + 1 >= pattern->len)
		return NULL;
	if (pattern->data[at + 1] == 'c')
		return &who->client_id;
	if (pattern->data[at + 1] == 'u')
		return &who->username;
	return NULL;
}

/* Is there such a rule for @who? */
static bool kmqtt_acl_pattern_usable(const struct mqtt_str *pattern,
				     const struct kmqtt_acl_who *who)
{
	const struct mqtt_str *value;
	u32 i;

	for (i = 0; i < pattern->len; i++) {
		value = kmqtt_acl_substitute(pattern, i, who);
		if (!value)
			continue;
		if (value == &who->username && !who->has_username)
			return false;
		if (!kmqtt_acl_substitutable(value, !i))
			return false;
		i++;
	}
	return true;
}

/* Does one level of a pattern come out as the level @name? No wildcards. */
static bool kmqtt_acl_level_equals(const struct mqtt_str *pattern,
				   const struct kmqtt_acl_who *who,
				   const struct mqtt_str *name)
{
	const struct mqtt_str *value;
	u32 i, at = 0;

	for (i = 0; i < pattern->len; i++) {
		value = kmqtt_acl_substitute(pattern, i, who);
		if (!value) {
			if (at == name->len ||
			    name->data[at] != pattern->data[i])
				return false;
			at++;
			continue;
		}
		if (value->len > name->len - at ||
		    (value->len &&
		     memcmp(name->data + at, value->data, value->len)))
			return false;
		at += value->len;
		i++;
	}
	return at == name->len;
}

static bool kmqtt_acl_is_level(const struct mqtt_str *level, char c)
{
	return level->len == 1 && level->data[0] == c;
}

/* mqtt_topic_matches() for a pattern, without building the filter. */
static bool kmqtt_acl_pattern_matches(const struct mqtt_str *pattern,
				      const struct kmqtt_acl_who *who,
				      const struct mqtt_str *name)
{
	struct mqtt_str p = *pattern, n = *name, pl, nl;
	bool p_last, n_last;

	if (!kmqtt_acl_pattern_usable(pattern, who))
		return false;
	if (name->len && name->data[0] == '$' &&
	    (pattern->data[0] == '+' || pattern->data[0] == '#'))
		return false;
	do {
		mqtt_topic_level(&p, &pl, &p_last);
		if (kmqtt_acl_is_level(&pl, '#'))
			return true;
		mqtt_topic_level(&n, &nl, &n_last);
		if (!kmqtt_acl_is_level(&pl, '+') &&
		    !kmqtt_acl_level_equals(&pl, who, &nl))
			return false;
	} while (!p_last && !n_last);

	return p_last == n_last || (n_last && kmqtt_acl_is_level(&p, '#'));
}

/*
 * The filter that a pattern stands for, in memory of its own. Only
 * subscribing needs it. Return: false if there is none for @who, or without
 * memory (@failed is then set).
 */
static bool kmqtt_acl_pattern_expand(const struct mqtt_str *pattern,
				     const struct kmqtt_acl_who *who,
				     struct mqtt_str *filter, bool *failed)
{
	const struct mqtt_str *value;
	u32 i, len = 0;
	u8 *buf;

	if (!kmqtt_acl_pattern_usable(pattern, who))
		return false;
	for (i = 0; i < pattern->len; i++) {
		value = kmqtt_acl_substitute(pattern, i, who);
		len += value ? value->len : 1;
		if (len > MQTT_STRING_MAX)
			return false;
		i += value ? 1 : 0;
	}
	buf = kmalloc(len + 1, GFP_ATOMIC | __GFP_NOWARN);
	if (!buf) {
		*failed = true;
		return false;
	}
	filter->data = buf;
	filter->len = len;
	for (i = 0; i < pattern->len; i++) {
		value = kmqtt_acl_substitute(pattern, i, who);
		if (value) {
			memcpy(buf, value->data, value->len);
			buf += value->len;
			i++;
		} else {
			*buf++ = pattern->data[i];
		}
	}
	return true;
}

static bool kmqtt_acl_rule_matches(const struct kmqtt_acl_rule *rule,
				   const struct kmqtt_acl_who *who,
				   const struct mqtt_str *topic)
{
	if (rule->flags & KMQTT_RULE_PATTERN)
		return kmqtt_acl_pattern_matches(&rule->filter, who, topic);
	return mqtt_topic_matches(&rule->filter, topic);
}

static bool kmqtt_acl_any_matches(const struct kmqtt_acl_rule *rule,
				  const struct kmqtt_acl_who *who, u8 access,
				  const struct mqtt_str *topic)
{
	for (; rule; rule = rule->next)
		if (rule->access & access &&
		    kmqtt_acl_rule_matches(rule, who, topic))
			return true;
	return false;
}

typedef bool (*kmqtt_acl_relation_t)(const struct mqtt_str *rule,
				     const struct mqtt_str *filter);

/* A rule that cannot be judged without memory counts as @unknown. */
static bool kmqtt_acl_any_relates(const struct kmqtt_acl_rule *rule,
				  const struct kmqtt_acl_who *who,
				  const struct mqtt_str *filter,
				  kmqtt_acl_relation_t relation, bool unknown)
{
	struct mqtt_str expanded;
	bool result, failed = false;

	for (; rule; rule = rule->next) {
		if (!(rule->access & KMQTT_ACCESS_READ))
			continue;
		if (!(rule->flags & KMQTT_RULE_PATTERN)) {
			if (relation(&rule->filter, filter))
				return true;
			continue;
		}
		if (!kmqtt_acl_pattern_expand(&rule->filter, who, &expanded,
					      &failed))
			continue;
		result = relation(&expanded, filter);
		kfree(expanded.data);
		if (result)
			return true;
	}
	return failed && unknown;
}

/* The rules that @who has on top of everyone's; RCU read lock held. */
static const struct kmqtt_acl_chain *
kmqtt_acl_own_chain(struct kmqtt_acl *acl, const struct kmqtt_acl_who *who)
{
	static const struct kmqtt_acl_chain none;
	struct kmqtt_acl_user *user;

	if (!who->has_username)
		return &acl->anonymous;
	user = rhashtable_lookup(&acl->users, &who->username, kmqtt_acl_users);
	return user ? &user->chain : &none;
}

/* The cost follows the number of rules for @who and for everyone. */
static bool kmqtt_acl_allows(struct kmqtt_broker *broker,
			     const struct kmqtt_acl_who *who, u8 access,
			     const struct mqtt_str *topic)
{
	const struct kmqtt_acl_chain *own, *all;
	struct kmqtt_acl *acl;
	bool allowed = true;

	rcu_read_lock();
	acl = rcu_dereference(broker->acl);
	if (acl) {
		own = kmqtt_acl_own_chain(acl, who);
		all = &acl->everyone;
		allowed =
			!kmqtt_acl_any_matches(own->deny, who, access, topic) &&
			!kmqtt_acl_any_matches(all->deny, who, access, topic) &&
			(kmqtt_acl_any_matches(own->allow, who, access, topic) ||
			 kmqtt_acl_any_matches(all->allow, who, access, topic));
	}
	rcu_read_unlock();
	return allowed;
}

static bool kmqtt_acl_allows_filter(struct kmqtt_broker *broker,
				    const struct kmqtt_acl_who *who,
				    const struct mqtt_str *filter)
{
	const struct kmqtt_acl_chain *own, *all;
	struct kmqtt_acl *acl;
	bool allowed = true;

	rcu_read_lock();
	acl = rcu_dereference(broker->acl);
	if (acl) {
		own = kmqtt_acl_own_chain(acl, who);
		all = &acl->everyone;
		allowed = !kmqtt_acl_any_relates(own->deny, who, filter,
						 mqtt_topic_covers, true) &&
			  !kmqtt_acl_any_relates(all->deny, who, filter,
						 mqtt_topic_covers, true) &&
			  (kmqtt_acl_any_relates(own->allow, who, filter,
						 mqtt_topic_overlaps, false) ||
			   kmqtt_acl_any_relates(all->allow, who, filter,
						 mqtt_topic_overlaps, false));
	}
	rcu_read_unlock();
	return allowed;
}

/* kmqtt_srcu held for as long as @who is used. */
static void kmqtt_acl_who_of(struct kmqtt_session *session,
			     struct kmqtt_acl_who *who)
{
	const char *name = srcu_dereference(session->username, kmqtt_srcu);

	who->client_id = session->client_id;
	who->has_username = name;
	who->username.data = (const u8 *)name;
	who->username.len = name ? strlen(name) : 0;
}

bool kmqtt_acl_ask(struct kmqtt_session *session, u8 access,
		   const struct mqtt_str *topic)
{
	struct kmqtt_acl_who who;
	bool allowed;
	int idx;

	idx = srcu_read_lock(kmqtt_srcu);
	kmqtt_acl_who_of(session, &who);
	allowed = kmqtt_acl_allows(session->broker, &who, access, topic);
	srcu_read_unlock(kmqtt_srcu, idx);
	return allowed;
}

bool kmqtt_acl_check_filter(struct kmqtt_session *session,
			    const struct mqtt_str *filter)
{
	struct kmqtt_acl_who who;
	bool allowed;
	int idx;

	if (!kmqtt_acl_in_force(session->broker))
		return true;
	idx = srcu_read_lock(kmqtt_srcu);
	kmqtt_acl_who_of(session, &who);
	allowed = kmqtt_acl_allows_filter(session->broker, &who, filter);
	srcu_read_unlock(kmqtt_srcu, idx);
	return allowed;
}

bool kmqtt_acl_check_as(struct kmqtt_broker *broker,
			const struct mqtt_str *client_id, const char *username,
			u8 access, const struct mqtt_str *topic)
{
	struct kmqtt_acl_who who = {
		.client_id = *client_id,
		.has_username = username,
		.username.data = (const u8 *)username,
		.username.len = username ? strlen(username) : 0,
	};

	return kmqtt_acl_allows(broker, &who, access, topic);
}
