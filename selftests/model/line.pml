/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections between a broker and one client. There are two at a time: when
 * the client opens another one, packets of the last are still under way, and
 * the broker may not have noticed its end, or is told of it by the new CONNECT
 * only (a take-over). What the broker has sent before may still be read by a
 * client that has not got its new CONNACK yet.
 *
 * A third one is not opened before the broker has come to the second CONNECT.
 * If it does not come to it, the one who waited never owned the session
 * (kmqtt_session_queue_up()), and nothing is to be seen of it.
 */

#define NOBODY 2

/* Packets: the identifier; the message it is about, which nobody looks at but
 * to check; DUP. */
chan down[2] = [DEPTH] of { mtype, byte, byte, bool };
chan up[2] = [DEPTH] of { mtype, byte, byte, bool };
/* CONNECT: by which connection, clean start, receive maximum. */
chan hello = [1] of { byte, bool, byte };

byte mine = NOBODY;	/* the client's connection */
bool answered;		/* CONNACK has come by it */
bool reading_old;	/* and is not there yet: the other one is read, too */
bool must_clean;	/* a clean start was asked for and is not confirmed */
byte own = NOBODY;	/* the one that has the session */
bool left[2];		/* ended by the client or the network */
bool exists;		/* the broker has a session */
/* From now on every connection holds. */
bool steady;

inline drain(channel)
{
	do
	:: nempty(channel) -> channel?_,_,_,_
	:: empty(channel) -> break
	od
}

/* Deep enough: nobody has to wait. What nobody will read is lost at once. */
inline send_down(packet, ident, message, flag)
{
	if
	:: left[own]
	:: else ->
		assert(nfull(down[own]));
		down[own]!packet,ident,message,flag
	fi
}

#ifdef OLD_IS_READ
#define IS_READ(c) true
#else
#define IS_READ(c) ((c) == own)
#endif

inline send_up(c, packet, ident, message, flag)
{
	if
	:: IS_READ(c) ->
		assert(nfull(up[c]));
		up[c]!packet,ident,message,flag
	:: else
	fi
}

/* The client gives a connection up; what comes by it is not read any more. */
inline leave(c)
{
	left[c] = true;
	drain(down[c])
}

/* Which connection the next one is. */
#define OTHER (own == 0 -> 1 : 0)
#define MAY_OPEN (mine == NOBODY && empty(hello))
#define MAY_TAKE_OVER (!steady && mine != NOBODY && answered && mine == own && \
		       empty(hello))

inline open_connection(clean, maximum)
{
	reading_old = mine != NOBODY && !(clean);
	if
	:: mine != NOBODY && (clean) -> leave(mine)
	:: else
	fi;
	mine = OTHER;
	answered = false;
	must_clean = clean;
	left[mine] = false;
	drain(down[mine]);
	drain(up[mine]);
	hello!mine,clean,maximum
}

/* It breaks; the CONNECT itself may be lost with it. */
inline break_connection()
{
	if
	:: reading_old -> leave(1 - mine); reading_old = false
	:: else
	fi;
	leave(mine);
	mine = NOBODY;
	answered = false;
	if
	:: nempty(hello) -> hello?_,_,_
	:: true
	fi
}

inline connack_came()
{
	answered = true;
	must_clean = false;
	if
	:: reading_old -> leave(1 - mine); reading_old = false
	:: else
	fi
}

/* The broker lets go of its connection: what was not read of it is lost. */
inline disown()
{
	if
	:: own != NOBODY ->
#ifndef OLD_IS_READ
		drain(up[own]);
#endif
		own = NOBODY
	:: else
	fi
}
