// SPDX-License-Identifier: GPL-2.0
/* A fault for each tool that reads the module: exceptions.tsv has them all. */
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/cpu.h>
#include "module.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
int planted(int *value, __be32 order, size_t size)
{
	char frame[3000];
	u32 other = order;

	memset(frame, other, min(size, sizeof(frame)));
	if (value)
		kfree(value);
	if (value)
		goto err1;
	return *value; /* XXX */
err1:
	return frame[other];
}
#endif
