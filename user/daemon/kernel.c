// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

/* rules of one message; the longest rule fits beside what is there */
#define ACL_BATCH_BYTES	32768

static int no_room(struct nl_msg *msg)
{
	nlmsg_free(msg);
	return -EMSGSIZE;
}

/*
 * A change that does no harm if it is made twice. If its answer was lost it may
 * have been made or not, so it is asked for again; @done is what a change that
 * had been made is answered with then.
 */
static int change(struct kmnl *nl, struct nl_msg *msg, int done)
{
	int ret;

	if (msg)
		nlmsg_get(msg);
	ret = kmnl_request(nl, msg, NULL, NULL);
	if (ret != -ENOBUFS) {
		nlmsg_free(msg);
		return ret;
	}
	ret = kmnl_request(nl, msg, NULL, NULL);
	return ret == done ? 0 : ret;
}

/* where a listener is; false if it is of a kind that is unknown here */
static bool endpoint_take(struct nlattr **a, struct endpoint *one)
{
	int length;

	if (a[KMQTT_A_PATH]) {
		snprintf(one->path, sizeof(one->path), "%s",
			 nla_get_string(a[KMQTT_A_PATH]));
		return true;
	}
	if (!a[KMQTT_A_ADDRESS] || !a[KMQTT_A_PORT])
		return false;
	length = nla_len(a[KMQTT_A_ADDRESS]);
	if (length != 4 && length != 16)
		return false;
	one->length = length;
	memcpy(one->address, nla_data(a[KMQTT_A_ADDRESS]), length);
	one->port = nla_get_u16(a[KMQTT_A_PORT]);
	return true;
}

static int endpoint_put(struct nl_msg *msg, const struct endpoint *e)
{
	if (*e->path)
		return nla_put_string(msg, KMQTT_A_PATH, e->path);
	return nla_put(msg, KMQTT_A_ADDRESS, e->length, e->address) ?:
		nla_put_u16(msg, KMQTT_A_PORT, e->port);
}

static int listener_take(int cmd, struct nlattr **a, void *arg)
{
	struct endpoints *all = arg;
	struct endpoint one = { 0 };

	if (!a[KMQTT_A_LISTENER_ID] || !endpoint_take(a, &one))
		return 0;
	one.id = nla_get_u32(a[KMQTT_A_LISTENER_ID]);
	if (a[KMQTT_A_AUTH_MODE])
		one.auth_mode = nla_get_u8(a[KMQTT_A_AUTH_MODE]);
	if (a[KMQTT_A_MAX_CONNECTIONS])
		one.max_connections = nla_get_u32(a[KMQTT_A_MAX_CONNECTIONS]);
	return endpoints_add(all, &one) ? 0 : -ENOMEM;
}

int kernel_listeners(struct kmnl *nl, struct endpoints *e)
{
	return kmnl_dump(nl, kmnl_msg(nl, KMQTT_CMD_LISTENER_GET),
			 listener_take, e);
}

static int id_take(int cmd, struct nlattr **a, void *arg)
{
	uint32_t *id = arg;

	if (a[KMQTT_A_LISTENER_ID])
		*id = nla_get_u32(a[KMQTT_A_LISTENER_ID]);
	return 0;
}

int kernel_listener_new(struct kmnl *nl, struct endpoint *e)
{
	struct nl_msg *msg = kmnl_msg(nl, KMQTT_CMD_LISTENER_NEW);
	uint32_t id = 0;
	int ret;

	if (!msg)
		return kmnl_request(nl, NULL, NULL, NULL);
	if (endpoint_put(msg, e) ||
	    nla_put_u8(msg, KMQTT_A_AUTH_MODE, e->auth_mode) ||
	    nla_put_u32(msg, KMQTT_A_MAX_CONNECTIONS, e->max_connections))
		return no_room(msg);
	ret = kmnl_request(nl, msg, id_take, &id);
	/* there is a listener with that number, acknowledged or not */
	if (ret == -ENOBUFS && id)
		ret = 0;
	if (!ret)
		e->id = id;
	return ret;
}

int kernel_listener_set(struct kmnl *nl, const struct endpoint *e)
{
	struct nl_msg *msg = kmnl_msg(nl, KMQTT_CMD_LISTENER_SET);

	if (!msg)
		return kmnl_request(nl, NULL, NULL, NULL);
	if (nla_put_u32(msg, KMQTT_A_LISTENER_ID, e->id) ||
	    nla_put_u8(msg, KMQTT_A_AUTH_MODE, e->auth_mode) ||
	    nla_put_u32(msg, KMQTT_A_MAX_CONNECTIONS, e->max_connections))
		return no_room(msg);
	return change(nl, msg, 0);
}

int kernel_listener_del(struct kmnl *nl, uint32_t id)
{
	struct nl_msg *msg = kmnl_msg(nl, KMQTT_CMD_LISTENER_DEL);

	if (!msg)
		return kmnl_request(nl, NULL, NULL, NULL);
	if (nla_put_u32(msg, KMQTT_A_LISTENER_ID, id))
		return no_room(msg);
	return change(nl, msg, -ENOENT);
}

static int setting_take(int cmd, struct nlattr **a, void *arg)
{
	struct kernel_setting *all = arg, *s;

	if (!a[KMQTT_A_NAME] || !a[KMQTT_A_VALUE] || !a[KMQTT_A_DEFAULT] ||
	    !a[KMQTT_A_MIN] || !a[KMQTT_A_MAX])
		return 0;
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(nla_get_string(a[KMQTT_A_NAME]),
			   config_setting_names[i]))
			continue;
		s = &all[i];
		s->known = true;
		s->value = nla_get_u64(a[KMQTT_A_VALUE]);
		s->initial = nla_get_u64(a[KMQTT_A_DEFAULT]);
		s->min = nla_get_u64(a[KMQTT_A_MIN]);
		s->max = nla_get_u64(a[KMQTT_A_MAX]);
		break;
	}
	return 0;
}

int kernel_settings(struct kmnl *nl, struct kernel_setting *s)
{
	memset(s, 0, SETTING_COUNT * sizeof(*s));
	return kmnl_dump(nl, kmnl_msg(nl, KMQTT_CMD_CONFIG_GET),
			 setting_take, s);
}

int kernel_settings_set(struct kmnl *nl, const uint64_t *values,
			uint32_t mask)
{
	struct nl_msg *msg;

	if (!mask)
		return 0;
	msg = kmnl_msg(nl, KMQTT_CMD_CONFIG_SET);
	if (!msg)
		return kmnl_request(nl, NULL, NULL, NULL);
	for (int i = 0; i < SETTING_COUNT; i++) {
		struct nlattr *item;

		if (!(mask & 1u << i))
			continue;
		item = nla_nest_start(msg, KMQTT_A_ITEM | NLA_F_NESTED);
		if (!item ||
		    nla_put_string(msg, KMQTT_A_NAME,
				   config_setting_names[i]) ||
		    nla_put_u64(msg, KMQTT_A_VALUE, values[i]))
			return no_room(msg);
		nla_nest_end(msg, item);	/* far from its limit */
	}
	return change(nl, msg, 0);
}

static struct nl_msg *acl_msg(struct kmnl *nl, uint32_t flags)
{
	struct nl_msg *msg = kmnl_msg(nl, KMQTT_CMD_ACL_SET);

	if (msg && nla_put_u32(msg, KMQTT_A_ACL_FLAGS, flags)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int rule_put(struct nl_msg *msg, const struct acl_rule *r)
{
	struct nlattr *item = nla_nest_start(msg, KMQTT_A_ITEM | NLA_F_NESTED);

	if (!item || nla_put_u8(msg, KMQTT_A_ACCESS, r->access) ||
	    nla_put_string(msg, KMQTT_A_FILTER, r->filter) ||
	    (r->user && nla_put_string(msg, KMQTT_A_USERNAME, r->user)) ||
	    (r->flags && nla_put_u32(msg, KMQTT_A_RULE_FLAGS, r->flags)))
		return -1;
	return nla_nest_end(msg, item);
}

int kernel_acl_stage(struct kmnl *nl, const struct acl_rules *a)
{
	uint32_t flags = KMQTT_ACL_START;
	size_t i = 0;
	int ret;

	/* the first message empties the list, even if there is no rule */
	do {
		struct nl_msg *msg = acl_msg(nl, flags);

		if (!msg)
			return kmnl_request(nl, NULL, NULL, NULL);
		while (i < a->count &&
		       nlmsg_hdr(msg)->nlmsg_len < ACL_BATCH_BYTES) {
			if (rule_put(msg, &a->list[i]) < 0)
				return no_room(msg);
			i++;
		}
		flags = 0;
		ret = kmnl_request(nl, msg, NULL, NULL);
	} while (!ret && i < a->count);
	return ret;
}

void kernel_acl_abandon(struct kmnl *nl)
{
	change(nl, acl_msg(nl, KMQTT_ACL_START), 0);
}

int kernel_acl_commit(struct kmnl *nl)
{
	/* nothing is staged any more once it is in force */
	return change(nl, acl_msg(nl, KMQTT_ACL_COMMIT), -EINVAL);
}

int kernel_acl_off(struct kmnl *nl)
{
	return change(nl, acl_msg(nl, KMQTT_ACL_OFF), 0);
}

int kernel_authority(struct kmnl *nl)
{
	return change(nl, kmnl_msg(nl, KMQTT_CMD_AUTHORITY_SET), 0);
}

int kernel_stop(struct kmnl *nl)
{
	return kmnl_request(nl, kmnl_msg(nl, KMQTT_CMD_BROKER_STOP), NULL,
			    NULL);
}
