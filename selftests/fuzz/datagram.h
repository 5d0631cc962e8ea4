/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink datagrams out of an input. */
#ifndef FUZZ_DATAGRAM_H
#define FUZZ_DATAGRAM_H

#include <stdbool.h>
#include <string.h>
#include <linux/netlink.h>

#include "fuzz.h"
#include "nlsock.h"

#define FUZZ_DATAGRAM_MAX	8192

/*
 * Push the next datagram of the input, of @max bytes at most; its messages
 * answer @request, which may be NULL. Return: there was one, or is more.
 */
static inline bool fuzz_datagram_push(struct fuzz_bytes *in, size_t max, int fd,
				      const struct nlmsghdr *request)
{
	_Alignas(struct nlmsghdr) char data[FUZZ_DATAGRAM_MAX];
	size_t size = fuzz_byte(in) << 8, at;
	struct nlmsghdr *nlh;

	FUZZ_CHECK(max <= sizeof(data));
	size |= fuzz_byte(in);
	if (size > in->left)
		size = in->left;
	if (size > max)
		size = max;
	if (!size)
		return in->left;
	memcpy(data, in->at, size);
	in->at += size;
	in->left -= size;
	for (at = 0; request && at + sizeof(*nlh) <= size;) {
		nlh = (struct nlmsghdr *)(data + at);
		if (!nlh->nlmsg_seq)
			nlh->nlmsg_seq = request->nlmsg_seq;
		if (nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > size)
			break;
		at += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	nlsock_push(fd, data, size);
	return true;
}

#endif
