/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_UAPI_LINUX_SCHED_TYPES_H
#define CONNFUZZ_UAPI_LINUX_SCHED_TYPES_H

#include <linux/types.h>

struct sched_attr {
	u32 size;
	u32 sched_policy;
};

#endif
