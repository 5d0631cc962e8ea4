/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_MM_H
#define CONNFUZZ_LINUX_MM_H

#include <linux/slab.h>
#include <linux/workqueue.h>

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
/* a gateway with a gigabyte */
#define totalram_pages()	(1UL << (30 - PAGE_SHIFT))

struct page;

struct page_frag {
	struct page *page;
	u32 offset;
	u32 size;
};

#define put_page(page)		kfree(page)

#endif
