// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink without a socket behind it: a message has the room that was
 * asked for, the authority's requests are kept for the fuzzer, events are
 * dropped. kmod/netlink*.c, the commands, are not linked.
 */
#include <string.h>
#include <linux/in6.h>
#include <linux/kmqtt.h>
#include "control.h"
#include "netlink.h"
#include "shim.h"

#define NR_REQUESTS	32

struct sk_buff {
	size_t room;
	struct shim_request request;
};

bool shim_nl_full;
bool shim_nl_listening;
unsigned int shim_nr_requests;
struct shim_request shim_requests[NR_REQUESTS];

struct genl_family {
	int unused;
};

struct genl_family kmqtt_genl_family;

struct sk_buff *genlmsg_new(size_t payload, gfp_t gfp)
{
	struct sk_buff *skb = kzalloc(sizeof(*skb), gfp);

	if (skb)
		skb->room = payload;
	return skb;
}

void nlmsg_free(struct sk_buff *skb)
{
	kfree(skb);
}

void *genlmsg_put(struct sk_buff *skb, u32 portid, u32 seq,
		  const struct genl_family *family, int flags, u8 cmd)
{
	(void)portid;
	(void)seq;
	(void)flags;
	SHIM_CHECK(family == &kmqtt_genl_family);
	SHIM_CHECK(cmd == KMQTT_CMD_EVENT || cmd == KMQTT_CMD_AUTH_REQUEST);
	return skb;
}

int nla_put(struct sk_buff *skb, int attr, int len, const void *data)
{
	size_t size = NLA_HDRLEN + ((len + 3) & ~3);

	/* Whoever builds a message has measured it. */
	SHIM_CHECK(len >= 0 && len <= U16_MAX - NLA_HDRLEN);
	SHIM_CHECK(size <= skb->room);
	skb->room -= size;
	if (attr == KMQTT_A_REQUEST_ID)
		memcpy(&skb->request.id, data, sizeof(skb->request.id));
	else if (attr == KMQTT_A_STAGE)
		memcpy(&skb->request.stage, data, sizeof(skb->request.stage));
	else if (attr == KMQTT_A_AUTH_METHOD)
		skb->request.has_method = true;
	return 0;
}

int genlmsg_unicast(struct net *net, struct sk_buff *skb, u32 portid)
{
	SHIM_CHECK(net && portid);
	if (shim_nl_full || shim_nr_requests == NR_REQUESTS) {
		nlmsg_free(skb);
		return -EAGAIN;
	}
	shim_requests[shim_nr_requests++] = skb->request;
	nlmsg_free(skb);
	return 0;
}

void shim_request_done(unsigned int which)
{
	SHIM_CHECK(which < shim_nr_requests);
	shim_nr_requests--;
	memmove(&shim_requests[which], &shim_requests[which + 1],
		(shim_nr_requests - which) * sizeof(shim_requests[0]));
}

int genlmsg_multicast_netns(const struct genl_family *family, struct net *net,
			    struct sk_buff *skb, u32 portid, unsigned int group,
			    gfp_t gfp)
{
	(void)family;
	(void)net;
	(void)portid;
	(void)group;
	(void)gfp;
	nlmsg_free(skb);
	return shim_nl_full ? -ESRCH : 0;
}

bool genl_has_listeners(const struct genl_family *family, struct net *net,
			unsigned int group)
{
	(void)family;
	(void)net;
	(void)group;
	return shim_nl_listening;
}

bool kmqtt_nl_ready(void)
{
	return true;
}

int kmqtt_nl_put_str(struct sk_buff *skb, int attr, const struct mqtt_str *str)
{
	return nla_put(skb, attr, str->len + 1, str->data);
}

int kmqtt_nl_put_cut(struct sk_buff *skb, int attr, const struct mqtt_str *str)
{
	struct mqtt_str cut = {
		.data = str->data,
		.len = min_t(u32, str->len, KMQTT_NL_STRING_MAX),
	};

	return kmqtt_nl_put_str(skb, attr, &cut);
}

int kmqtt_nl_put_addr(struct sk_buff *skb, const struct sockaddr *addr)
{
	struct in6_addr any = {};

	SHIM_CHECK(addr->sa_family == AF_INET);
	return nla_put(skb, KMQTT_A_ADDRESS, sizeof(any), &any) ?:
	       nla_put_u16(skb, KMQTT_A_PORT, 0);
}

int kmqtt_netlink_init(void)
{
	return shim_fails() ? -ENOMEM : 0;
}

void kmqtt_netlink_uninit(void)
{
}
