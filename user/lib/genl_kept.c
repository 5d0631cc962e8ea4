// SPDX-License-Identifier: GPL-2.0
/* Notices that came while a request waited, until somebody asks for them. */
#include "genl_socket.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX	4096

struct kept {
	struct kept *next;
	struct nlmsghdr *nlh;
};

void kmnl_keep(struct kmnl *nl, const struct nlmsghdr *nlh)
{
	struct kept *k;

	if (nl->kept_count >= KEPT_MAX) {
		nl->overrun = 1;
		return;
	}
	k = calloc(1, sizeof(*k));
	if (k)
		k->nlh = malloc(nlh->nlmsg_len);
	if (!k || !k->nlh) {
		free(k);
		nl->no_memory = 1;
		return;
	}
	memcpy(k->nlh, nlh, nlh->nlmsg_len);
	*nl->kept_last = k;
	nl->kept_last = &k->next;
	nl->kept_count++;
}

struct nlmsghdr *kmnl_kept_take(struct kmnl *nl)
{
	struct kept *k = nl->kept;
	struct nlmsghdr *nlh;

	if (!k)
		return NULL;
	nlh = k->nlh;
	nl->kept = k->next;
	if (!nl->kept)
		nl->kept_last = &nl->kept;
	nl->kept_count--;
	free(k);
	return nlh;
}

void kmnl_kept_free(struct kmnl *nl)
{
	struct nlmsghdr *nlh;

	while ((nlh = kmnl_kept_take(nl)))
		free(nlh);
}
