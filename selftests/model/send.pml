/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Broker to client: messages of QoS 1 and 2 on their way to one subscriber.
 * The broker has the table of kmod/core/qos.c (table.pml is made from it) and
 * moves deliveries as kmod/deliver.c, inflight.c and session.c do. The client
 * does what the standard asks of it. Connections break, are taken over, and
 * sessions end at any moment and as often as they like, until, some time, all
 * holds: then everything has to arrive.
 *
 * MESSAGES	of either QoS, mixed in all ways
 * IDS		packet identifiers there are
 * WINDOW	the largest receive maximum; each CONNECT has its own
 * REFUSE	the client may refuse a message with PUBREC (5.0)
 * EAGER	the client repeats its PUBRECs when a connection is new
 * RETRY	3.x with retry_interval: what is unanswered is sent again
 *
 * The other names under ifdef are errors to be found.
 */
#define DEPTH 8

mtype = { PUBLISH, PUBREL, CONNACK, PUBACK, PUBREC, PUBREC_REFUSED, PUBCOMP };

#include "table.pml"
#include "line.pml"

/* struct kmqtt_out, by message; what is not there is MQTT_QOS_DONE */
byte level[MESSAGES];			/* its QoS */
byte state[MESSAGES];
byte id[MESSAGES];
bool counted[MESSAGES];
bool retried[MESSAGES];
/* struct kmqtt_session; pending: those from first_pending to arrived */
chan ready = [MESSAGES] of { byte };
chan inflight = [MESSAGES] of { byte };
byte first_pending, arrived;
byte last_id, nr_inflight, nr_sent, window;

/* The client: by packet identifier that it knows, the message plus one */
byte known[IDS + 1];
byte nr_known;

/* To check: */
bool sent[MESSAGES], pubrel_sent[MESSAGES];
bool got[MESSAGES];			/* by the application */
bool refused[MESSAGES];			/* so it may be late */
byte latest[3];				/* of each QoS, the last to arrive first */
byte spent;				/* of the receive maximum */
byte by[IDS + 1];			/* connection that PUBLISH has come by */

/* Without meaning between two steps, and 0 there: */
byte next, action, event, m, n, c, ident, maximum;
bool flag;
chan again = [MESSAGES] of { byte };

/* 3.x has no receive maximum, and who answers unasked does without. */
#if defined(RETRY) || defined(EAGER)
#define HAS_QUOTA false
#else
#define HAS_QUOTA true
#endif

#define ALL_DONE (steady && answered && own == mine && \
		  arrived == MESSAGES && first_pending == arrived && \
		  len(ready) == 0 && len(inflight) == 0 && nr_inflight == 0 && \
		  nr_known == 0)

inline forget()
{
	next = 0; action = 0; event = 0; m = 0; n = 0; c = 0; ident = 0; maximum = 0;
	flag = false
}

inline clear_known()
{
	n = 0;
	do
	:: n <= IDS -> known[n] = 0; n++
	:: else -> break
	od;
	nr_known = 0
}

/* The broker */

/* kmqtt_deliver_enter() */
inline enter(message)
{
#ifdef LOWEST_ID
	last_id = 0;
#endif
	do
	:: last_id = last_id % IDS + 1;
	   n = 0;
	   do
	   :: n < MESSAGES && id[n] != last_id -> n++
	   :: else -> break
	   od;
	   if
	   :: n == MESSAGES -> break
	   :: else
	   fi
	od;
	id[message] = last_id;
	nr_inflight++;
	ready!message
}

/* kmqtt_deliver_refill() */
inline refill()
{
	do
	:: own != NOBODY && first_pending < arrived && nr_inflight < window ->
		enter(first_pending);
		first_pending++
	:: else -> break
	od
}

/* kmqtt_deliver_enqueue() */
inline enqueue()
{
	if
	:: level[arrived] = 1
	:: level[arrived] = 2
	fi;
	state[arrived] = MQTT_QOS_QUEUED;
	arrived++;
	refill()
}

inline unlink(message)
{
	if
	:: inflight??[eval(message)] -> inflight??eval(message)
	:: else -> ready??eval(message)
	fi
}

/* kmqtt_packet_id_put() */
inline unwindow(message)
{
	if
	:: counted[message] -> nr_sent--
	:: else
	fi;
	id[message] = 0;
	nr_inflight--;
	counted[message] = false;
	retried[message] = false
}

/* All that waits behind what has to be sent again. */
inline behind_again()
{
#ifdef BACKWARDS
	do
	:: again?m -> ready!m
	:: empty(again) -> break
	od;
#endif
	do
	:: ready?m -> again!m
	:: empty(ready) -> break
	od;
	do
	:: again?m -> ready!m
	:: empty(again) -> break
	od
}

/* kmqtt_deliver_resume() */
inline resume()
{
	nr_sent = 0;
#ifndef NO_RESUME
	n = len(ready);
	do
	:: n > 0 ->
		n--;
		ready?m;
		if
		:: retried[m] -> again!m
		:: else -> ready!m
		fi
	:: else -> break
	od;
	do
	:: inflight?m ->
#ifdef NEW_ID
		id[m] = 0;
		nr_inflight--;
		enter(m)
#else
		again!m
#endif
	:: empty(inflight) -> break
	od;
	behind_again();
	m = 0;
	do
	:: m < MESSAGES -> counted[m] = false; retried[m] = false; m++
	:: else -> break
	od;
#endif
	refill()
}

/* kmqtt_inflight_requeue_old(): the oldest is due, perhaps others are, too */
inline retry()
{
	n = len(inflight);
	do
	:: n > 0 ->
		n--;
		inflight?m;
		if
		:: !retried[m] -> retried[m] = true; again!m; flag = true
		:: retried[m] || flag -> inflight!m
		fi
	:: else -> break
	od;
	behind_again()
}

/* kmqtt_session_end() */
inline end_session()
{
	m = 0;
	do
	:: m < MESSAGES ->
		state[m] = MQTT_QOS_DONE;
		id[m] = 0;
		counted[m] = false;
		retried[m] = false;
		m++
	:: else -> break
	od;
	do
	:: ready?_
	:: empty(ready) -> break
	od;
	do
	:: inflight?_
	:: empty(inflight) -> break
	od;
	first_pending = arrived;
	last_id = 0;
	nr_inflight = 0;
	nr_sent = 0;
	exists = false
}

/* kmqtt_session_attach(): the owner goes first. flag: clean start */
inline attach()
{
	hello?c,flag,maximum;
	disown();
	if
	:: exists && flag -> end_session()
	:: else
	fi;
	flag = exists;
	exists = true;
	own = c;
	window = maximum;
	spent = 0;
	resume();
	send_down(CONNACK, 0, 0, flag)
}

/* kmqtt_deliver_next() and kmqtt_deliver_take(): the first in ready */
inline transmit()
{
	ready?m;
	event = (state[m] == MQTT_QOS_QUEUED -> MQTT_QOS_SEND : MQTT_QOS_RESUME);
	mqtt_qos_step(state[m], event, level[m]);
	state[m] = next;
	inflight!m;
	if
	:: action == MQTT_QOS_SEND_PUBLISH ||
	   action == MQTT_QOS_SEND_PUBLISH_DUP ->
		/* [MQTT-3.3.1-1] [MQTT-4.3.3-6] */
		assert(sent[m] == (action == MQTT_QOS_SEND_PUBLISH_DUP));
		assert(!pubrel_sent[m]);
		sent[m] = true;
		if
		:: !counted[m] -> counted[m] = true; nr_sent++
		:: else
		fi;
		/* [MQTT-3.3.4-9] */
		if
		:: HAS_QUOTA -> spent++; assert(spent <= window)
		:: else
		fi;
		send_down(PUBLISH, id[m], m,
			  action == MQTT_QOS_SEND_PUBLISH_DUP)
	:: action == MQTT_QOS_SEND_PUBREL ->
		pubrel_sent[m] = true;
		send_down(PUBREL, id[m], m, false)
	:: action == MQTT_QOS_NONE
	fi
}

#ifdef NO_QUOTA
#define MAY_SEND(x) true
#else
#define MAY_SEND(x) (state[x] == MQTT_QOS_WAIT_PUBCOMP || counted[x] || \
		     nr_sent < window)
#endif

/* The client has answered; is what it says true? */
inline check_release()
{
	assert(event != MQTT_QOS_PUBACK || (level[m] == 1 && got[m]));
	assert(event != MQTT_QOS_PUBCOMP || (level[m] == 2 && got[m]));
	assert(event != MQTT_QOS_PUBREC_ERROR || (level[m] == 2 && !got[m]))
}

/* kmqtt_inflight_acked() */
inline acked()
{
	m = 0;
	do
	:: m < MESSAGES && (id[m] != ident || state[m] == MQTT_QOS_QUEUED) ->
		m++
	:: else -> break
	od;
	next = MQTT_QOS_DONE;
	if
	:: m < MESSAGES -> next = state[m]
	:: else
	fi;
	mqtt_qos_step(next, event, 0);
	if
	:: m < MESSAGES -> state[m] = next
	:: else
	fi;
	assert(action != MQTT_QOS_PROTOCOL_ERROR);
	if
	:: action == MQTT_QOS_RELEASE ->
		check_release();
		unlink(m);
		unwindow(m);
		refill()
	:: action == MQTT_QOS_SEND_PUBREL ->
		unlink(m);
		inflight!m;
		retried[m] = false;
		pubrel_sent[m] = true;
		send_down(PUBREL, ident, m, false)
	:: action == MQTT_QOS_SEND_PUBREL_UNKNOWN ->
		send_down(PUBREL, ident, 0, false)
	:: else
	fi
}

inline receive(from)
{
	if
	:: up[from]?PUBACK,ident,_,_ -> event = MQTT_QOS_PUBACK
	:: up[from]?PUBREC,ident,_,_ -> event = MQTT_QOS_PUBREC_OK
	:: up[from]?PUBREC_REFUSED,ident,_,_ -> event = MQTT_QOS_PUBREC_ERROR
	:: up[from]?PUBCOMP,ident,_,_ -> event = MQTT_QOS_PUBCOMP
	fi;
	acked()
}

active proctype broker()
{
	do
	:: atomic { exists && arrived < MESSAGES -> enqueue(); forget() }
	:: atomic { nempty(hello) -> attach(); forget() }
	:: atomic {
		own != NOBODY && nempty(ready) &&
		(ready?[eval(0)] && MAY_SEND(0) ||
		 ready?[eval(1)] && MAY_SEND(1) ||
		 ready?[eval(MESSAGES - 1)] && MAY_SEND(MESSAGES - 1)) ->
			transmit();
			forget()
	   }
	:: atomic { own != NOBODY && nempty(up[own]) -> receive(own); forget() }
#ifdef OLD_IS_READ
	:: atomic { own != NOBODY && nempty(up[1 - own]) ->
			receive(1 - own);
			forget() }
#endif
	/* It notices the end. */
	:: atomic { own != NOBODY && left[own] -> disown(); forget() }
	/*
	 * The session expires, and the client has a clock, too. Were it to end
	 * unknown to the client, and the CONNACK that tells it so be lost, the
	 * standard would have it go on with what belongs to no session.
	 */
	:: atomic {
		!steady && own == NOBODY && mine == NOBODY && empty(hello) &&
		exists ->
			end_session();
			clear_known();
			forget()
	   }
#ifdef RETRY
	:: atomic {
		own != NOBODY &&
		(inflight??[eval(0)] && !retried[0] || inflight??[eval(1)] && !retried[1] ||
		 inflight??[eval(MESSAGES - 1)] && !retried[MESSAGES - 1]) ->
			retry();
			forget()
	   }
#endif
	:: ALL_DONE -> break
	od
}

/* The client */

/* The application gets it: only now, and in order [MQTT-4.6.0-6]. */
inline deliver()
{
	assert(level[m] == 1 || !got[m]);
	if
	:: got[m]
	:: else ->
		if
		:: !refused[m] ->
			assert(latest[level[m]] <= m);
			latest[level[m]] = m
		:: else
		fi;
		got[m] = true
	fi
}

/* An answer that gives back a piece of the receive maximum */
inline last_answer()
{
	if
	:: HAS_QUOTA && c == own -> spent--
	:: else
	fi
}

inline publish_came()
{
	if
	:: level[m] == 1 ->
		deliver();
		last_answer();
		send_up(c, PUBACK, ident, m, false)
	:: level[m] == 2 && known[ident] ->
		/* It would be taken for one that it is not. */
		assert(known[ident] == m + 1);
		by[ident] = c;
		send_up(c, PUBREC, ident, m, false)
	:: level[m] == 2 && !known[ident] ->
		known[ident] = m + 1;
		nr_known++;
		by[ident] = c;
		deliver();
		send_up(c, PUBREC, ident, m, false)
#ifdef REFUSE
	:: level[m] == 2 && !known[ident] ->
		refused[m] = true;
		last_answer();
		send_up(c, PUBREC_REFUSED, ident, m, false)
#endif
	fi
}

inline pubrel_came()
{
	if
	:: known[ident] -> known[ident] = 0; nr_known--
	:: else
	fi;
	if
	:: by[ident] == c -> last_answer(); by[ident] = NOBODY
	:: else
	fi;
	send_up(c, PUBCOMP, ident, m, false)
}

/* flag: session present */
inline connected()
{
	assert(!(flag && must_clean));
	connack_came();
	if
	:: !flag -> clear_known()
	:: else
	fi
#ifdef EAGER
	;
	ident = 1;
	do
	:: ident <= IDS ->
		if
		:: known[ident] -> send_up(c, PUBREC, ident, 0, false)
		:: else
		fi;
		ident++
	:: else -> break
	od
#endif
}

inline came()
{
	if
	:: down[c]?PUBLISH,ident,m,flag -> publish_came()
	:: down[c]?PUBREL,ident,m,flag -> pubrel_came()
	:: down[c]?CONNACK,ident,m,flag -> connected()
	fi
}

/* CONNECT, with any receive maximum. flag: clean start */
inline connect()
{
	if
	:: flag -> clear_known()
	:: else
	fi;
	maximum = 1;
	do
	:: maximum < WINDOW && !steady -> maximum++
	:: break
	od;
	open_connection(flag, maximum);
	n = 0;
	do
	:: n <= IDS ->
		if
		:: by[n] == mine -> by[n] = NOBODY
		:: else
		fi;
		n++
	:: else -> break
	od
}

active proctype client()
{
	n = 0;
	do
	:: atomic { n <= IDS -> by[n] = NOBODY; n++ }
	:: atomic { n > IDS -> n = 0; break }
	od;
	do
	:: atomic {
		MAY_OPEN || MAY_TAKE_OVER ->
			if
			:: flag = must_clean
			:: !steady -> flag = true
			fi;
			connect();
			forget()
	   }
	:: atomic {
		if
		:: mine != NOBODY && nempty(down[mine]) -> c = mine
		:: reading_old && nempty(down[1 - mine]) -> c = 1 - mine
		fi;
		came();
		forget()
	   }
	:: atomic { !steady && mine != NOBODY -> break_connection(); forget() }
	:: atomic { !steady -> steady = true }
	:: ALL_DONE -> break
	od
}

ltl delivery { [] (steady -> <> ALL_DONE) }
