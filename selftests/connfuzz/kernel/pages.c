// SPDX-License-Identifier: GPL-2.0
/* Pages, compound ones, each by a block of memory and how many hold it. */
#include <linux/mm.h>
#include "shim.h"

static struct page *pages;

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	size_t size = PAGE_SIZE << order;
	void *memory = kmalloc(size, gfp);
	struct page *page;

	if (!memory)
		return NULL;
	page = malloc(sizeof(*page));
	SHIM_CHECK(page);
	*page = (struct page){
		.next = pages,
		.memory = memory,
		.size = size,
		.refs = 1,
	};
	pages = page;
	return page;
}

void put_page(struct page *page)
{
	struct page **at = &pages;

	SHIM_CHECK(page->refs > 0);
	if (--page->refs)
		return;
	while (*at != page)
		at = &(*at)->next;
	*at = page->next;
	kfree(page->memory);
	free(page);
}

struct page *virt_to_head_page(const void *ptr)
{
	struct page *page;

	for (page = pages; page; page = page->next)
		if ((u8 *)ptr >= page->memory &&
		    (u8 *)ptr < page->memory + page->size)
			return page;
	SHIM_CHECK(!"in a page");
	return NULL;
}

/* Begins again where nobody refers to what was there. */
bool skb_page_frag_refill(unsigned int size, struct page_frag *frag, gfp_t gfp)
{
	if (frag->page) {
		if (frag->page->refs == 1)
			frag->offset = 0;
		if (frag->offset + size <= frag->page->size)
			return true;
		put_page(frag->page);
	}
	frag->offset = 0;
	frag->page = alloc_pages(gfp, SKB_FRAG_PAGE_ORDER);
	return frag->page;
}
