/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_VMALLOC_H
#define CONNFUZZ_LINUX_VMALLOC_H

#include <linux/slab.h>

#endif
