// SPDX-License-Identifier: GPL-2.0
#include "family.h"

#include <string.h>

#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

static int on_notice(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct genlmsghdr *gh = nlmsg_data(nlh);
	bool *gone = arg;

	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    genlmsg_parse(nlh, 0, attrs, CTRL_ATTR_MAX, NULL) < 0)
		return NL_OK;
	if (gh->cmd == CTRL_CMD_DELFAMILY && attrs[CTRL_ATTR_FAMILY_NAME] &&
	    !nla_strcmp(attrs[CTRL_ATTR_FAMILY_NAME], KMQTT_GENL_NAME))
		*gone = true;
	return NL_OK;
}

struct nl_sock *family_watch(void)
{
	struct nl_sock *sk = nl_socket_alloc();
	int group;

	if (!sk)
		return NULL;
	if (genl_connect(sk) < 0)
		goto err_free;
	group = genl_ctrl_resolve_grp(sk, "nlctrl", "notify");
	if (group < 0 || nl_socket_add_membership(sk, group) < 0 ||
	    nl_socket_set_nonblocking(sk) < 0)
		goto err_free;
	nl_socket_disable_seq_check(sk);
	return sk;

err_free:
	nl_socket_free(sk);
	return NULL;
}

bool family_gone(struct nl_sock *sk)
{
	bool gone = false;

	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_notice, &gone);
	nl_recvmsgs_default(sk);
	return gone;
}
