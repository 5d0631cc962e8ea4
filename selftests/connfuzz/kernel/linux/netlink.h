/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_NETLINK_H
#define CONNFUZZ_LINUX_NETLINK_H

#include <net/genetlink.h>

#endif
