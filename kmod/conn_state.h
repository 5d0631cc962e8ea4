/* SPDX-License-Identifier: GPL-2.0 */
/* What a connection is at. */
#ifndef KMQTT_CONN_STATE_H
#define KMQTT_CONN_STATE_H

/** enum kmqtt_conn_state - written by the io work only */
enum kmqtt_conn_state {
	KMQTT_CONN_NEW,		/* no CONNECT yet */
	KMQTT_CONN_AUTH,	/* the authority is asked; nothing is read */
	KMQTT_CONN_CHALLENGED,	/* the client was sent AUTH, its AUTH is due */
	KMQTT_CONN_TAKEOVER,	/* waits for the session's old connection */
	KMQTT_CONN_UP,		/* CONNACK is queued */
	KMQTT_CONN_LINGER,	/* our side is closed, the peer's is drained */
	KMQTT_CONN_CLOSED,
};

/** enum kmqtt_conn_flags - bits of conn->flags */
enum kmqtt_conn_flags {
	KMQTT_CONN_ABORT,	/* no DISCONNECT, no lingering */
	KMQTT_CONN_NORMAL,	/* ended by DISCONNECT 0x00: no will */
	KMQTT_CONN_SILENT,	/* no DISCONNECT is sent */
	KMQTT_CONN_DIRTY,	/* on somebody's flush list */
	KMQTT_CONN_TX_BLOCKED,	/* waits for sk_write_space */
	KMQTT_CONN_RX_PAUSED,	/* not read until our answers drain */
	KMQTT_CONN_TX_OPEN,	/* between CONNACK and our DISCONNECT: deliveries */
	KMQTT_CONN_TX_FIN,	/* when all control packets are out, send FIN */
	KMQTT_CONN_TX_DEAD,	/* the socket failed or was shut down */
	KMQTT_CONN_LINGERED,	/* the lingering time is over */
	KMQTT_CONN_REAUTH,	/* a re-authentication is going on */
	KMQTT_CONN_ASKED,	/* the authority has a question about it */
	KMQTT_CONN_SPOKE,	/* its CONNECT or AUTH is being handled */
	KMQTT_CONN_RX,		/* somebody has what is marked (io) */
	KMQTT_CONN_IO_WANTED,	/* the io work is to come again when it goes */
	KMQTT_CONN_EXPRESS,	/* on a CPU's list in express.c or gather.c */
	KMQTT_CONN_RETRY,	/* @timer was set for what lacked memory */
	KMQTT_CONN_NEXT,	/* waits no longer for its session's old connection */
};

#endif
