/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_RANDOM_H
#define CONNFUZZ_LINUX_RANDOM_H

#include <linux/types.h>

/* The same numbers in each run. */
u64 get_random_u64(void);

#endif
