// SPDX-License-Identifier: GPL-2.0
/* What the header says about each attribute. */
#include "genl_socket.h"

#define U8	{ .type = NLA_U8 }
#define U16	{ .type = NLA_U16 }
#define U32	{ .type = NLA_U32 }
#define U64	{ .type = NLA_U64 }
#define STR	{ .type = NLA_STRING }
#define BIN	{ .type = NLA_UNSPEC }

static const struct {
	const char *name;
	struct nla_policy policy;
} attr_table[KMQTT_A_MAX_ATTR + 1] = {
#define ATTR(n, p) \
	[KMQTT_A_##n] = { #n, p }
	ATTR(LISTENER_ID, U32),
	ATTR(ADDRESS, BIN),
	ATTR(PORT, U16),
	ATTR(AUTH_MODE, U8),
	ATTR(MAX_CONNECTIONS, U32),
	ATTR(CONNECTIONS, U32),
	ATTR(CLIENT_ID, STR),
	ATTR(USERNAME, STR),
	ATTR(PASSWORD, BIN),
	ATTR(AUTH_METHOD, STR),
	ATTR(AUTH_DATA, BIN),
	ATTR(VERSION, U8),
	ATTR(KEEP_ALIVE, U16),
	ATTR(AGE, U64),
	ATTR(PACKETS_IN, U64),
	ATTR(PACKETS_OUT, U64),
	ATTR(BYTES_IN, U64),
	ATTR(BYTES_OUT, U64),
	ATTR(DROPPED, U64),
	ATTR(REASON, U8),
	ATTR(REASON_STRING, STR),
	ATTR(CONNECTED, U8),
	ATTR(EXPIRY, U32),
	ATTR(SUBSCRIPTIONS, U32),
	ATTR(INFLIGHT, U32),
	ATTR(QUEUED, U32),
	ATTR(QUEUED_BYTES, U64),
	ATTR(AWAITING_REL, U32),
	ATTR(FILTER, STR),
	ATTR(TOPIC, STR),
	ATTR(QOS, U8),
	ATTR(OPTIONS, U8),
	ATTR(SUBSCRIPTION_ID, U32),
	ATTR(SIZE, U32),
	ATTR(PAYLOAD, BIN),
	ATTR(COUNT, U32),
	ATTR(ITEM, BIN),
	ATTR(NAME, STR),
	ATTR(VALUE, U64),
	ATTR(DEFAULT, U64),
	ATTR(MIN, U64),
	ATTR(MAX, U64),
	ATTR(HELP, STR),
	ATTR(ACL_FLAGS, U32),
	ATTR(ACCESS, U8),
	ATTR(RULE_FLAGS, U32),
	ATTR(REQUEST_ID, U64),
	ATTR(STAGE, U8),
	ATTR(EVENT_TYPE, U8),
	ATTR(PATH, STR),
#undef ATTR
};

const char *kmnl_attr_name(int type)
{
	if (type < 0 || type > KMQTT_A_MAX_ATTR || !attr_table[type].name)
		return "?";
	return attr_table[type].name;
}

const struct nla_policy *kmnl_attr_policy(void)
{
	static struct nla_policy policy[KMQTT_A_MAX_ATTR + 1];
	static int built;

	if (!built) {
		for (int i = 0; i <= KMQTT_A_MAX_ATTR; i++)
			policy[i] = attr_table[i].policy;
		built = 1;
	}
	return policy;
}
