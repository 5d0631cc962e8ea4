/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_SOCKET_H
#define CONNFUZZ_LINUX_SOCKET_H

/* What user space calls so is another one. */
#define msghdr shim_user_msghdr
#include <sys/socket.h>
#undef msghdr
#include <linux/uio.h>

/* Not in user space. */
#define MSG_SENDPAGE_NOTLAST	0x20000

struct msghdr {
	struct iov_iter msg_iter;
	unsigned int msg_flags;
};

#endif
