/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_LIMITS_H
#define CONNFUZZ_LINUX_LIMITS_H

#include_next <linux/limits.h>
#include <stdint.h>

#define S64_MAX	((s64)(U64_MAX >> 1))

#endif
