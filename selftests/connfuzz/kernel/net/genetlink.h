/* SPDX-License-Identifier: GPL-2.0 */
/* Messages are built as they would be, and looked at by the fuzzer. */
#ifndef CONNFUZZ_NET_GENETLINK_H
#define CONNFUZZ_NET_GENETLINK_H

#include <linux/in.h>
#include <arpa/inet.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <net/net_namespace.h>

#define NLA_HDRLEN	4

struct netlink_callback;
struct netlink_ext_ack;
struct genl_info;
struct genl_family;

struct nla_policy {
	int type;
};

struct nlattr {
	u16 nla_len;
	u16 nla_type;
};
struct sk_buff;
struct net;

#define NL_SET_ERR_MSG(extack, text)	((void)(extack))

struct sk_buff *genlmsg_new(size_t payload, gfp_t gfp);
void nlmsg_free(struct sk_buff *skb);
void *genlmsg_put(struct sk_buff *skb, u32 portid, u32 seq,
		  const struct genl_family *family, int flags, u8 cmd);
int genlmsg_unicast(struct net *net, struct sk_buff *skb, u32 portid);
int genlmsg_multicast_netns(const struct genl_family *family, struct net *net,
			    struct sk_buff *skb, u32 portid, unsigned int group,
			    gfp_t gfp);
bool genl_has_listeners(const struct genl_family *family, struct net *net,
			unsigned int group);
int nla_put(struct sk_buff *skb, int attr, int len, const void *data);

static inline void genlmsg_end(struct sk_buff *skb, void *hdr)
{
	(void)skb;
	(void)hdr;
}

static inline int nla_put_u8(struct sk_buff *skb, int attr, u8 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

static inline int nla_put_u16(struct sk_buff *skb, int attr, u16 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

static inline int nla_put_u32(struct sk_buff *skb, int attr, u32 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

static inline int nla_put_u64_64bit(struct sk_buff *skb, int attr, u64 value,
				    int pad)
{
	return nla_put(skb, pad, 0, NULL) ?:
	       nla_put(skb, attr, sizeof(value), &value);
}

static inline void *nla_data(const struct nlattr *attr)
{
	return (char *)attr + NLA_HDRLEN;
}

static inline int nla_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

/* Asked for by kmod/compat.h; no dump is linked. */
struct genl_dumpit_info {
	struct nlattr **attrs;
};

const struct genl_dumpit_info *genl_dumpit_info(struct netlink_callback *cb);

#endif
