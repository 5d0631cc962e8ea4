// SPDX-License-Identifier: GPL-2.0
/* The netlink family: what each command may carry, and who may send it. */
#include "netlink.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/un.h>
#include "broker.h"
#include "compat.h"
#include "control.h"

#define KMQTT_P_STRING	{ .type = NLA_NUL_STRING, .len = KMQTT_NL_ATTR_STRING }
#define KMQTT_P_ID	NLA_POLICY_MIN(NLA_U32, 1)
#define KMQTT_P_PORT	NLA_POLICY_MIN(NLA_U16, 1)
#define KMQTT_P_ADDRESS	NLA_POLICY_RANGE(NLA_BINARY, 4, 16)
#define KMQTT_P_PATH	{ .type = NLA_NUL_STRING, .len = UNIX_PATH_MAX - 1 }
#define KMQTT_P_MODE	NLA_POLICY_MAX(NLA_U8, KMQTT_AUTH_MODE_MAX)
#define KMQTT_P_REFUSAL	NLA_POLICY_MIN(NLA_U8, MQTT_RC_UNSPECIFIED)

static const struct nla_policy kmqtt_listener_new_policy[] = {
	[KMQTT_A_ADDRESS]	  = KMQTT_P_ADDRESS,
	[KMQTT_A_PORT]		  = KMQTT_P_PORT,
	[KMQTT_A_AUTH_MODE]	  = KMQTT_P_MODE,
	[KMQTT_A_MAX_CONNECTIONS] = { .type = NLA_U32 },
	[KMQTT_A_PATH]		  = KMQTT_P_PATH,
};

static const struct nla_policy kmqtt_listener_del_policy[] = {
	[KMQTT_A_LISTENER_ID]	= KMQTT_P_ID,
	[KMQTT_A_ADDRESS]	= KMQTT_P_ADDRESS,
	[KMQTT_A_PORT]		= KMQTT_P_PORT,
	[KMQTT_A_PATH]		= KMQTT_P_PATH,
};

static const struct nla_policy kmqtt_listener_set_policy[] = {
	[KMQTT_A_LISTENER_ID]	  = KMQTT_P_ID,
	[KMQTT_A_AUTH_MODE]	  = KMQTT_P_MODE,
	[KMQTT_A_MAX_CONNECTIONS] = { .type = NLA_U32 },
};

static const struct nla_policy kmqtt_client_del_policy[] = {
	[KMQTT_A_CLIENT_ID]	= KMQTT_P_STRING,
	[KMQTT_A_REASON]	= KMQTT_P_REFUSAL,
};

static const struct nla_policy kmqtt_client_id_policy[] = {
	[KMQTT_A_CLIENT_ID]	= KMQTT_P_STRING,
};

static const struct nla_policy kmqtt_filter_policy[] = {
	[KMQTT_A_FILTER]	= KMQTT_P_STRING,
};

const struct nla_policy kmqtt_rule_policy[KMQTT_A_MAX_ATTR + 1] = {
	[KMQTT_A_USERNAME]	= KMQTT_P_STRING,
	[KMQTT_A_FILTER]	= KMQTT_P_STRING,
	[KMQTT_A_ACCESS]	= NLA_POLICY_RANGE(NLA_U8, KMQTT_ACCESS_READ,
						   KMQTT_ACCESS_ALL),
	[KMQTT_A_RULE_FLAGS]	= NLA_POLICY_MASK(NLA_U32, KMQTT_RULE_ALL),
};

static const struct nla_policy kmqtt_acl_set_policy[] = {
	[KMQTT_A_ITEM]		= NLA_POLICY_NESTED(kmqtt_rule_policy),
	[KMQTT_A_ACL_FLAGS]	= NLA_POLICY_MASK(NLA_U32, KMQTT_ACL_ALL),
};

const struct nla_policy kmqtt_setting_policy[KMQTT_A_MAX_ATTR + 1] = {
	[KMQTT_A_NAME]		= { .type = NLA_NUL_STRING, .len = 63 },
	[KMQTT_A_VALUE]		= { .type = NLA_U64 },
};

static const struct nla_policy kmqtt_config_set_policy[] = {
	[KMQTT_A_ITEM]		= NLA_POLICY_NESTED(kmqtt_setting_policy),
};

static const struct nla_policy kmqtt_auth_reply_policy[] = {
	[KMQTT_A_REQUEST_ID]	= { .type = NLA_U64 },
	[KMQTT_A_REASON]	= { .type = NLA_U8 },
	[KMQTT_A_USERNAME]	= KMQTT_P_STRING,
	[KMQTT_A_AUTH_DATA]	= { .type = NLA_BINARY },
	[KMQTT_A_REASON_STRING]	= KMQTT_P_STRING,
};

/* Commands without a policy take no attribute at all. */
static const struct genl_ops kmqtt_ops[] = {
	{
		.cmd = KMQTT_CMD_LISTENER_NEW,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_listener_new_policy,
		.maxattr = ARRAY_SIZE(kmqtt_listener_new_policy) - 1,
		.doit = kmqtt_nl_listener_new,
	}, {
		.cmd = KMQTT_CMD_LISTENER_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_listener_del_policy,
		.maxattr = ARRAY_SIZE(kmqtt_listener_del_policy) - 1,
		.doit = kmqtt_nl_listener_del,
	}, {
		.cmd = KMQTT_CMD_LISTENER_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_listener_set_policy,
		.maxattr = ARRAY_SIZE(kmqtt_listener_set_policy) - 1,
		.doit = kmqtt_nl_listener_set,
	}, {
		.cmd = KMQTT_CMD_LISTENER_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = kmqtt_nl_table_start,
		.dumpit = kmqtt_nl_listener_dump,
	}, {
		.cmd = KMQTT_CMD_CLIENT_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_client_del_policy,
		.maxattr = ARRAY_SIZE(kmqtt_client_del_policy) - 1,
		.doit = kmqtt_nl_client_del,
	}, {
		.cmd = KMQTT_CMD_CLIENT_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = kmqtt_nl_session_start,
		.dumpit = kmqtt_nl_client_dump,
		.done = kmqtt_nl_session_done,
	}, {
		.cmd = KMQTT_CMD_SESSION_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_client_id_policy,
		.maxattr = ARRAY_SIZE(kmqtt_client_id_policy) - 1,
		.doit = kmqtt_nl_session_del,
	}, {
		.cmd = KMQTT_CMD_SESSION_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = kmqtt_nl_session_start,
		.dumpit = kmqtt_nl_session_dump,
		.done = kmqtt_nl_session_done,
	}, {
		.cmd = KMQTT_CMD_SUBSCRIPTION_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_client_id_policy,
		.maxattr = ARRAY_SIZE(kmqtt_client_id_policy) - 1,
		.start = kmqtt_nl_sub_start,
		.dumpit = kmqtt_nl_sub_dump,
		.done = kmqtt_nl_sub_done,
	}, {
		.cmd = KMQTT_CMD_RETAINED_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_filter_policy,
		.maxattr = ARRAY_SIZE(kmqtt_filter_policy) - 1,
		.doit = kmqtt_nl_retained_del,
	}, {
		.cmd = KMQTT_CMD_RETAINED_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_filter_policy,
		.maxattr = ARRAY_SIZE(kmqtt_filter_policy) - 1,
		.start = kmqtt_nl_retained_start,
		.dumpit = kmqtt_nl_retained_dump,
		.done = kmqtt_nl_retained_done,
	}, {
		.cmd = KMQTT_CMD_ACL_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_acl_set_policy,
		.maxattr = ARRAY_SIZE(kmqtt_acl_set_policy) - 1,
		.doit = kmqtt_nl_acl_set,
	}, {
		.cmd = KMQTT_CMD_ACL_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = kmqtt_nl_acl_start,
		.dumpit = kmqtt_nl_acl_dump,
		.done = kmqtt_nl_acl_done,
	}, {
		.cmd = KMQTT_CMD_CONFIG_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_config_set_policy,
		.maxattr = ARRAY_SIZE(kmqtt_config_set_policy) - 1,
		.doit = kmqtt_nl_config_set,
	}, {
		.cmd = KMQTT_CMD_CONFIG_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = kmqtt_nl_table_start,
		.dumpit = kmqtt_nl_config_dump,
	}, {
		.cmd = KMQTT_CMD_STATS_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = kmqtt_nl_table_start,
		.dumpit = kmqtt_nl_stats_dump,
	}, {
		.cmd = KMQTT_CMD_AUTHORITY_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = kmqtt_nl_authority_set,
	}, {
		.cmd = KMQTT_CMD_AUTH_REPLY,
		.flags = GENL_UNS_ADMIN_PERM,
		.policy = kmqtt_auth_reply_policy,
		.maxattr = ARRAY_SIZE(kmqtt_auth_reply_policy) - 1,
		.doit = kmqtt_nl_auth_reply,
	}, {
		.cmd = KMQTT_CMD_BROKER_STOP,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = kmqtt_nl_broker_stop,
	},
};

/* Events name clients and topics: listening needs what asking does. */
static const struct genl_multicast_group kmqtt_groups[] = {
	[KMQTT_NL_EVENTS] = {
		.name = KMQTT_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/*
 * In parallel, since BROKER_STOP may wait for seconds: other families, and
 * other namespaces, must not wait with it. Each object has locks of its own.
 */
struct genl_family kmqtt_genl_family __ro_after_init = {
	.name = KMQTT_GENL_NAME,
	.version = KMQTT_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = kmqtt_ops,
	.n_ops = ARRAY_SIZE(kmqtt_ops),
	.mcgrps = kmqtt_groups,
	.n_mcgrps = ARRAY_SIZE(kmqtt_groups),
};

static bool kmqtt_nl_registered;

bool kmqtt_nl_ready(void)
{
	return READ_ONCE(kmqtt_nl_registered);
}

int kmqtt_nl_put_str(struct sk_buff *skb, int attr, const struct mqtt_str *str)
{
	struct nlattr *nla;
	char *to;

	if (str->len > KMQTT_NL_ATTR_STRING)
		return -EMSGSIZE;
	nla = nla_reserve(skb, attr, str->len + 1);
	if (!nla)
		return -EMSGSIZE;
	to = nla_data(nla);
	if (str->len)
		memcpy(to, str->data, str->len);
	to[str->len] = '\0';
	return 0;
}

int kmqtt_nl_put_cut(struct sk_buff *skb, int attr, const struct mqtt_str *str)
{
	struct mqtt_str cut = *str;

	if (cut.len > KMQTT_NL_STRING_MAX) {
		cut.len = KMQTT_NL_STRING_MAX;
		while (cut.len && (cut.data[cut.len] & 0xc0) == 0x80)
			cut.len--;
	}
	return kmqtt_nl_put_str(skb, attr, &cut);
}

int kmqtt_nl_put_addr(struct sk_buff *skb, const struct sockaddr *addr)
{
	const struct sockaddr_in6 *in6 = (const void *)addr;
	const struct sockaddr_un *un = (const void *)addr;
	const struct sockaddr_in *in = (const void *)addr;

	if (addr->sa_family == AF_UNIX)
		return nla_put_string(skb, KMQTT_A_PATH, un->sun_path);
	if (addr->sa_family == AF_INET)
		return nla_put(skb, KMQTT_A_ADDRESS, sizeof(in->sin_addr),
			       &in->sin_addr) ?:
		       nla_put_u16(skb, KMQTT_A_PORT, ntohs(in->sin_port));
	if (addr->sa_family == AF_INET6)
		return nla_put(skb, KMQTT_A_ADDRESS, sizeof(in6->sin6_addr),
			       &in6->sin6_addr) ?:
		       nla_put_u16(skb, KMQTT_A_PORT, ntohs(in6->sin6_port));
	return 0;
}

static int kmqtt_nl_socket_released(struct notifier_block *block,
				    unsigned long event, void *data)
{
	struct netlink_notify *notify = data;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		kmqtt_authority_released(kmqtt_broker_of(notify->net),
					 notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block kmqtt_nl_notifier = {
	.notifier_call = kmqtt_nl_socket_released,
};

int kmqtt_netlink_init(void)
{
	int ret;

	ret = netlink_register_notifier(&kmqtt_nl_notifier);
	if (ret)
		return ret;
	ret = genl_register_family(&kmqtt_genl_family);
	if (ret)
		goto err_notifier;
	WRITE_ONCE(kmqtt_nl_registered, true);
	return 0;

err_notifier:
	netlink_unregister_notifier(&kmqtt_nl_notifier);
	return ret;
}

void kmqtt_netlink_uninit(void)
{
	WRITE_ONCE(kmqtt_nl_registered, false);
	/* whoever is sending an event is done before the group's number goes */
	synchronize_rcu();
	genl_unregister_family(&kmqtt_genl_family);
	netlink_unregister_notifier(&kmqtt_nl_notifier);
}
