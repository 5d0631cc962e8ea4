/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_IN_H
#define CONNFUZZ_LINUX_IN_H

#include <linux/socket.h>
#define msghdr shim_user_msghdr
#include <netinet/in.h>
#undef msghdr

#endif
