/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_IPV6_H
#define CONNFUZZ_LINUX_IPV6_H

#include <net/tcp.h>

#endif
