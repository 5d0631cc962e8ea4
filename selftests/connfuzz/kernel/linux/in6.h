/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_IN6_H
#define CONNFUZZ_LINUX_IN6_H

#include <linux/in.h>

#endif
