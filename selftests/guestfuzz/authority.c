// SPDX-License-Identifier: GPL-2.0
#include "authority.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <string.h>
#include <sys/socket.h>
#include "run.h"

int authority_begin(struct genl *nl)
{
	int ret, room = 1 << 20;

	genl_open(nl);
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	ret = genl_do(nl, KMQTT_CMD_AUTHORITY_SET);
	fcntl(nl->fd, F_SETFL, O_NONBLOCK);
	return ret;
}

/* With a method: a challenge, then yes. Without: who has a password. */
static uint8_t decide(const uint8_t *attrs, size_t len)
{
	const uint8_t *stage;
	size_t size;

	stage = genl_attr(attrs, len, KMQTT_A_STAGE, &size);
	if (!genl_attr(attrs, len, KMQTT_A_AUTH_METHOD, &size))
		return genl_attr(attrs, len, KMQTT_A_PASSWORD, &size) ? 0 :
									0x86;
	return stage && *stage == KMQTT_STAGE_CONTINUE ? 0 : 0x18;
}

static void answer_one(struct genl *nl, const uint8_t *attrs, size_t len)
{
	static struct genl_msg msg;
	const void *id;
	size_t at, size;
	uint8_t reason;

	id = genl_attr(attrs, len, KMQTT_A_REQUEST_ID, &size);
	if (!id)
		return;
	reason = decide(attrs, len);
	msg.len = 0;
	/* Its client may have gone: no acknowledgement is asked for. */
	at = genl_begin(nl, &msg, KMQTT_CMD_AUTH_REPLY, 0);
	genl_put(&msg, KMQTT_A_REQUEST_ID, id, sizeof(uint64_t));
	genl_put_u8(&msg, KMQTT_A_REASON, reason);
	if (genl_attr(attrs, len, KMQTT_A_AUTH_METHOD, &size))
		genl_put(&msg, KMQTT_A_AUTH_DATA, "data", 4);
	genl_finish(&msg, at);
	genl_send(nl, &msg);
}

void authority_answer(struct genl *nl)
{
	static uint8_t buf[4 * GENL_BUF];
	struct nlmsghdr *head;
	struct genlmsghdr *genl;
	ssize_t len;

	while ((len = recv(nl->fd, buf, sizeof(buf), 0)) > 0) {
		for (head = (void *)buf; NLMSG_OK(head, len);
		     head = NLMSG_NEXT(head, len)) {
			genl = NLMSG_DATA(head);
			if (head->nlmsg_type == nl->family &&
			    genl->cmd == KMQTT_CMD_AUTH_REQUEST)
				answer_one(nl, (uint8_t *)(genl + 1),
					   head->nlmsg_len -
					   NLMSG_LENGTH(GENL_HDRLEN));
		}
	}
	if (len < 0 && errno != EAGAIN && errno != ENOBUFS)
		run_die("authority");
}
