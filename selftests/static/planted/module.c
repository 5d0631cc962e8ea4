// SPDX-License-Identifier: GPL-2.0
/* A fault for each tool that reads the module: exceptions.tsv has them all. */
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/cpu.h>
#include "module.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
int planted(int *value, void *other, __be32 order, size_t size)
{
	char frame[3000];
	u32 number = order;

	memset(frame, number, min(size, sizeof(frame)));
	if (other)
		kfree(other);
	if (value)
		goto err1;
	return *value; /* XXX */
err1:
	return frame[number];
}
#endif
