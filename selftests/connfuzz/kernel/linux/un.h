/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_UN_H
#define CONNFUZZ_LINUX_UN_H

#include <linux/socket.h>
#define msghdr shim_user_msghdr
#include <sys/un.h>
#undef msghdr

#endif
