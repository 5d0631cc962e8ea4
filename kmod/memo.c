// SPDX-License-Identifier: GPL-2.0
/*
 * Who got the last message of a publisher. A message to the same topic needs no
 * walk through the tree, nor is its name looked at once more.
 *
 * That holds until any subscription of the broker is made or removed: each raises
 * broker->sub_turn when it is done, a removal before the grace period behind which
 * the subscription is freed. Who still finds the old number inside kmqtt_srcu has
 * begun before that period ends, and is waited for.
 */
#include "memo.h"

#include <linux/string.h>
#include "express.h"

bool kmqtt_memo_recall(const struct kmqtt_memo *memo, struct kmqtt_few *few)
{
	if (memo->turn != few->turn)
		return false;
	few->nr = memo->nr;
	memcpy(few->subs, memo->subs, memo->nr * sizeof(*memo->subs));
	return true;
}

void kmqtt_memo_keep(struct kmqtt_memo *memo,
		     const struct mqtt_publish *publish,
		     const struct kmqtt_few *few)
{
	if (few->nr > KMQTT_MEMO_SUBS || publish->topic.len > KMQTT_MEMO_TOPIC)
		return;
	memo->turn = few->turn;
	memo->nr = few->nr;
	memcpy(memo->subs, few->subs, few->nr * sizeof(*memo->subs));
	if (publish->known)
		return;
	memcpy(memo->name, publish->topic.data, publish->topic.len);
	memo->topic.name.data = memo->name;
	memo->topic.name.len = publish->topic.len;
	memo->topic.levels = publish->levels;
}
