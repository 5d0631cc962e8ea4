// SPDX-License-Identifier: GPL-2.0
/* A connection's life, and what must be true of it in the end. */
#include <stdlib.h>
#include <string.h>
#include "client.h"
#include "conn.h"
#include "datapath.h"
#include "session.h"
#include <net/sock.h>

struct client clients[MAX_CLIENTS];

bool client_open(struct client *client, u16 port)
{
	client_free(client);
	client->peer.was_read = client_was_read;
	client->peer.was_sent = client_was_sent;
	client->peer.window = U32_MAX;
	client->used = shim_peer_connect(&client->peer, port);
	return client->used;
}

void client_free(struct client *client)
{
	u32 i;

	if (client->used)
		shim_peer_free(&client->peer);
	free(client->out);
	for (i = 0; i < NR_ALIASES; i++) {
		free((void *)client->topics[i].data);
		free((void *)client->aliases[i].data);
	}
	memset(client, 0, sizeof(*client));
}

/* Everything that is due to a client who takes it is on its way. */
static void settled_up(const struct client *client, struct kmqtt_conn *conn)
{
	struct kmqtt_session *session = conn->session;
	u32 i;

	for (i = 0; i < NR_ANSWERS; i++)
		RULE(client, !client->owes[i], "an answer is missing");
	RULE(client, !client->out_len, "half a packet was sent");
	RULE(client, !conn->rest && !conn->ctl_len, "something was not sent");
	RULE(client, !session || session->conn != conn ||
	     session->nr_inflight >= session->window ||
	     !kmqtt_deliver_due(session), "a delivery was not sent");
}

void client_settled(const struct client *client)
{
	const struct shim_peer *peer = &client->peer;

	if (!client->used || peer->shut || !peer->sk)
		return;
	RULE(client, !client->wrong, "an error did not end the connection");
	RULE(client, !client->refusable, "a wrong CONNECT was not refused");
	RULE(client, !client->leaving, "DISCONNECT did not end the connection");
	RULE(client, !client->ended, "the last packet was not the end");
	RULE(client, !peer->fin && !peer->reset, "the peer's end was not seen");
	RULE(client, client->accepted,
	     "a connection without CONNECT in time");
	if (client->accepted && peer->sk->sk_user_data)
		settled_up(client, peer->sk->sk_user_data);
}
