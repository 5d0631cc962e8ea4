// SPDX-License-Identifier: GPL-2.0
/*
 * Sentences: our own, and those of the kernel, which come as extended-ack
 * attributes behind an error.
 */
#include "genl_socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#define MAX_ERRNO	4095	/* as the kernel has it */

int kmnl_fail(struct kmnl *nl, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(nl->error, sizeof(nl->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *kmnl_error(const struct kmnl *nl)
{
	return nl->error[0] ? nl->error : "no error";
}

/*
 * Name of the attribute at an offset of the request. The offset comes from
 * the kernel, but is checked: it may be that of another request.
 */
static const char *attr_at(const struct nlmsghdr *request, uint32_t offset)
{
	const struct nlattr *nla;

	if (!request || offset < NLMSG_HDRLEN + GENL_HDRLEN ||
	    offset > request->nlmsg_len - NLA_HDRLEN)
		return NULL;
	nla = (const void *)((const char *)request + offset);
	return kmnl_attr_name(nla_type(nla));
}

static const char *errno_text(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return "permission denied: this needs CAP_NET_ADMIN (run it as root)";
	case EOPNOTSUPP:
		return "the module does not know this request: it is of another version";
	default:
		return strerror(err);
	}
}

/*
 * Fills in the sentence for an error the kernel answered with; @tlvs are the
 * extended-ack attributes behind it, if any.
 */
static int kernel_error(struct kmnl *nl, int err, struct nlattr *tlvs, int len,
			const struct nlmsghdr *request)
{
	static struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_OFFS] = { .type = NLA_U32 },
		[NLMSGERR_ATTR_MISS_TYPE] = { .type = NLA_U32 },
	};
	struct nlattr *a[NLMSGERR_ATTR_MAX + 1] = { NULL };
	const char *text = NULL, *attr = NULL, *what = "attribute";

	if (len > 0 &&
	    nla_parse(a, NLMSGERR_ATTR_MAX, tlvs, len, policy) == 0) {
		struct nlattr *m = a[NLMSGERR_ATTR_MSG];

		if (m && nla_len(m) > 0 && memchr(nla_data(m), 0, nla_len(m)))
			text = nla_data(m);
		if (a[NLMSGERR_ATTR_OFFS])
			attr = attr_at(request,
				       nla_get_u32(a[NLMSGERR_ATTR_OFFS]));
		m = a[NLMSGERR_ATTR_MISS_TYPE];
		if (!attr && m) {
			what = "missing attribute";
			attr = kmnl_attr_name(nla_get_u32(m));
		}
	}
	if (!text)
		text = errno_text(-err);
	if (attr)
		return kmnl_fail(nl, err, "%s (%s %s)", text, what, attr);
	return kmnl_fail(nl, err, "%s", text);
}

/*
 * Where the extended-ack attributes of an answer begin: behind the error, and
 * behind what it echoes of the request. @len if there are none.
 */
static int tlvs_offset(struct nlmsghdr *nlh, int len)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	uint32_t echoed;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return len;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return len < (int)sizeof(int) ? len : (int)sizeof(int);
	if (len < (int)sizeof(*e))
		return len;
	if (nlh->nlmsg_flags & NLM_F_CAPPED)
		return sizeof(*e);
	echoed = e->msg.nlmsg_len - NLMSG_HDRLEN;
	if (e->msg.nlmsg_len < NLMSG_HDRLEN || echoed > len - sizeof(*e))
		return len;
	echoed = sizeof(*e) + NLMSG_ALIGN(echoed);
	return (int)echoed < len ? (int)echoed : len;
}

int kmnl_explain(struct kmnl *nl, struct nlmsghdr *nlh,
		 const struct nlmsghdr *request)
{
	int err = 0, skip, len = nlmsg_datalen(nlh);
	char *data = nlmsg_data(nlh);

	if (len >= (int)sizeof(int))
		memcpy(&err, data, sizeof(err));
	if (nlh->nlmsg_type == NLMSG_ERROR &&
	    len < (int)sizeof(struct nlmsgerr))
		err = -EPROTO;
	if (err < -MAX_ERRNO)
		err = -EPROTO;
	if (err >= 0)
		return 0;
	skip = tlvs_offset(nlh, len);
	return kernel_error(nl, err, (struct nlattr *)(data + skip),
			    len - skip, request);
}
