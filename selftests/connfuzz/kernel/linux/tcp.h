/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_TCP_H
#define CONNFUZZ_LINUX_TCP_H

#include <net/tcp.h>

#endif
