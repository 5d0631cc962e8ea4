/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Client to broker: messages of QoS 1 and 2 from one publisher. The broker has
 * the receiver's table of kmod/core/qos.c (table.pml is made from it) and does
 * with it what kmod/publish.c does; the client does what the standard asks of
 * it. As in send.pml, connections break and sessions end until all holds.
 *
 * MESSAGES	of either QoS, mixed in all ways
 * IDS		packet identifiers of the client; it takes any that is free
 * WINDOW	the broker's receive maximum
 * VERSION	5: the broker may refuse a message; 3: it has to end the
 *		connection instead
 *
 * The other names under ifdef are errors to be found.
 */
#define DEPTH 6

mtype = { PUBLISH, PUBREL, CONNACK, PUBACK, PUBREC, PUBREC_REFUSED, PUBCOMP };

#include "table.pml"
#include "line.pml"

/* The client's messages, as the standard has them (figure 4.3) */
#define NEW 0
#define SENT 1
#define RECEIVED 2		/* PUBREC has come, PUBREL was sent */
#define OVER 3
byte state[MESSAGES];
byte level[MESSAGES];		/* QoS */
byte id[MESSAGES];
byte first;			/* the first that is new */
byte nr_out;			/* neither new nor over */
byte resent;			/* looked at since CONNACK: first these */

/* The broker: MQTT_QOS_RX_HELD or not */
bit held[IDS + 1];
byte nr_held;

/* To check: */
byte about[IDS + 1];		/* message that is held, plus one */
bool handed_on[MESSAGES];
bool refused[MESSAGES];		/* so it may be late */
byte latest[3];			/* of each QoS, the last handed on first */

bool closing;			/* the broker ends its connection */

/* Without meaning between two steps, and 0 there: */
byte next, action, m, n, c, ident;
bool flag;

#define ALL_DONE (steady && answered && own == mine && first == MESSAGES && \
		  nr_out == 0 && nr_held == 0)

inline forget()
{
	next = 0; action = 0; m = 0; n = 0; c = 0; ident = 0; flag = false
}

/* The client's session is over, or it has none to go on with. */
inline lose_all()
{
	m = 0;
	do
	:: m < MESSAGES && state[m] != NEW ->
		state[m] = OVER;
		id[m] = 0;
		m++
	:: else -> break
	od;
	nr_out = 0
}

/* The broker */

inline release_all()
{
	n = 0;
	do
	:: n <= IDS -> held[n] = MQTT_QOS_RX_FREE; about[n] = 0; n++
	:: else -> break
	od;
	nr_held = 0
}

inline detach()
{
	disown();
	closing = false
#ifdef HELD_BY_CONNECTION
	;
	release_all()
#endif
}

/* kmqtt_session_attach() */
inline attach()
{
	hello?c,flag,_;
	detach();
	if
	:: exists && flag -> release_all(); exists = false
	:: else
	fi;
	flag = exists;
	exists = true;
	own = c;
	send_down(CONNACK, 0, 0, flag)
}

/* kmqtt_publish_forward(): not twice, and in order, if not refused before */
inline hand_on()
{
	assert(level[m] == 1 || !handed_on[m]);
	if
	:: !handed_on[m] ->
		if
		:: !refused[m] ->
			assert(latest[level[m]] <= m);
			latest[level[m]] = m
		:: else
		fi;
		handed_on[m] = true
	:: else
	fi
}

inline hold(value)
{
	if
	:: held[ident] != value && value == MQTT_QOS_RX_HELD -> nr_held++
	:: held[ident] != value && value == MQTT_QOS_RX_FREE -> nr_held--
	:: else
	fi;
	held[ident] = value;
	about[ident] = (value == MQTT_QOS_RX_HELD -> m + 1 : 0)
}

/* Nothing more is read, and the client will notice. */
inline end_connection()
{
	closing = true;
	left[own] = true
}

/* kmqtt_publish_outcome(): flag: it was handed on */
inline outcome()
{
	if
	:: flag -> n = MQTT_QOS_RX_TAKEN
	:: !flag && VERSION == 5 -> n = MQTT_QOS_RX_REFUSED
	:: !flag && VERSION == 3 -> n = MQTT_QOS_RX_FAILED
	fi
}

/* It is taken, unless a rule or the want of memory is against it. */
inline try()
{
	if
	:: flag = true
	:: !steady -> flag = false; refused[m] = VERSION == 5
	fi
}

inline answer_to_publish()
{
	if
	:: action == MQTT_QOS_RX_SEND_PUBREC ->
		send_down(PUBREC, ident, m, false)
	:: action == MQTT_QOS_RX_SEND_PUBREC_ERROR ->
		send_down(PUBREC_REFUSED, ident, m, false)
	:: action == MQTT_QOS_RX_END_CONNECTION -> end_connection()
	:: action == MQTT_QOS_RX_NONE
	fi
}

/* kmqtt_publish_qos2() */
inline publish_qos2()
{
	mqtt_qos_rx_step(held[ident], MQTT_QOS_RX_PUBLISH);
	if
	:: action == MQTT_QOS_RX_HAND_ON ->
		/* [MQTT-3.3.4-7]: no good client exceeds it. */
		assert(held[ident] == MQTT_QOS_RX_HELD || nr_held < WINDOW);
		try();
		if
		:: flag -> hold(next); hand_on()
		:: else
			/* For want of memory it is not even held. */
			if
			:: hold(next)
			:: true
			fi
		fi;
		outcome();
		mqtt_qos_rx_step(held[ident], n);
		hold(next)
	:: else ->
		/* Taken for a repetition: is it one? */
		assert(about[ident] == m + 1)
	fi;
	answer_to_publish()
}

inline publish_qos1()
{
	try();
	if
	:: flag -> hand_on(); send_down(PUBACK, ident, m, true)
#ifdef ACK_ANYWAY
	:: !flag -> send_down(PUBACK, ident, m, true)
#else
	:: !flag && VERSION == 5 -> send_down(PUBACK, ident, m, false)
	:: !flag && VERSION == 3 -> end_connection()
#endif
	fi
}

inline pubrel()
{
	mqtt_qos_rx_step(held[ident], MQTT_QOS_RX_PUBREL);
	hold(next);
	if
	:: action == MQTT_QOS_RX_SEND_PUBCOMP ||
	   action == MQTT_QOS_RX_SEND_PUBCOMP_UNKNOWN ->
		send_down(PUBCOMP, ident, m, false)
	:: action == MQTT_QOS_RX_NONE
	fi
}

inline receive(from)
{
	if
	:: up[from]?PUBLISH,ident,m,_ ->
		if
		:: level[m] == 1 -> publish_qos1()
		:: else -> publish_qos2()
		fi
	:: up[from]?PUBREL,ident,m,_ -> pubrel()
	fi
}

active proctype broker()
{
	do
	:: atomic { nempty(hello) -> attach(); forget() }
	:: atomic { own != NOBODY && !closing && nempty(up[own]) ->
			receive(own);
			forget() }
#ifdef OLD_IS_READ
	:: atomic { own != NOBODY && nempty(up[1 - own]) ->
			receive(1 - own);
			forget() }
#endif
	:: atomic { own != NOBODY && left[own] -> detach(); forget() }
	/* As in send.pml: not unknown to the client. */
	:: atomic {
		!steady && own == NOBODY && mine == NOBODY && empty(hello) &&
		exists ->
			release_all();
			exists = false;
			lose_all();
			forget()
	   }
	:: ALL_DONE -> break
	od
}

/* The client */

inline over()
{
	state[m] = OVER;
	id[m] = 0;
	nr_out--
}

/* Answers are about what they are for. flag: taken, or session present */
inline came()
{
	if
	:: down[mine]?CONNACK,_,_,flag ->
		assert(!(flag && must_clean));
		connack_came();
		if
		:: flag -> resent = 0
		:: else -> lose_all(); resent = first
		fi
	:: down[mine]?PUBACK,ident,m,flag ->
		assert(id[m] == ident && level[m] == 1 && state[m] == SENT);
		assert(!flag || handed_on[m]);
		over()
	:: down[mine]?PUBREC,ident,m,_ ->
		assert(id[m] == ident && level[m] == 2 && state[m] == SENT);
		assert(handed_on[m]);
		state[m] = RECEIVED;
		send_up(mine, PUBREL, ident, m, false)
	:: down[mine]?PUBREC_REFUSED,ident,m,_ ->
		assert(id[m] == ident && level[m] == 2 && state[m] == SENT);
		assert(!handed_on[m]);
		over()
	:: down[mine]?PUBCOMP,ident,m,_ ->
		assert(id[m] == ident && state[m] == RECEIVED);
		assert(handed_on[m]);
		over()
	fi
}

/* [MQTT-4.4.0-1], one after the other */
inline resend()
{
	m = resent;
	resent++;
	if
	:: state[m] == SENT -> send_up(mine, PUBLISH, id[m], m, true)
	:: state[m] == RECEIVED -> send_up(mine, PUBREL, id[m], m, false)
	:: else
	fi
}

/* A new message, with any identifier that is free */
inline publish()
{
	m = first;
	first++;
	resent++;
	nr_out++;
	if
	:: level[m] = 1
	:: level[m] = 2
	fi;
	ident = 1;
	do
	:: ident < IDS -> ident++
	:: break
	od;
	n = 0;
	do
	:: n < MESSAGES && id[n] != ident -> n++
	:: n < MESSAGES && id[n] == ident -> ident = ident % IDS + 1; n = 0
	:: n == MESSAGES -> break
	od;
	id[m] = ident;
	state[m] = SENT;
	send_up(mine, PUBLISH, ident, m, false)
}

/* flag: clean start */
inline connect()
{
	if
	:: flag -> lose_all(); resent = first
	:: else
	fi;
	open_connection(flag, WINDOW);
	/* It reads the old one no more: that is looked at in send.pml. */
	if
	:: reading_old -> leave(1 - mine); reading_old = false
	:: else
	fi
}

active proctype client()
{
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
	:: atomic { mine != NOBODY && nempty(down[mine]) -> came(); forget() }
	:: atomic { answered && resent < first -> resend(); forget() }
	:: atomic {
		answered && resent == first && first < MESSAGES &&
		nr_out < WINDOW ->
			publish();
			forget()
	   }
	:: atomic { mine != NOBODY && (!steady || left[mine]) ->
			break_connection();
			forget() }
	:: atomic { !steady -> steady = true }
	:: ALL_DONE -> break
	od
}

ltl delivery { [] (steady -> <> ALL_DONE) }
