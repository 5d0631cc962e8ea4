/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of this kernel know of each other, and the fuzzer of them. */
#ifndef CONNFUZZ_SHIM_H
#define CONNFUZZ_SHIM_H

#include <linux/types.h>
#include "task.h"

struct net;
struct sock;
struct work_struct;

/* task.c */
void shim_tasks_reset(void);
/* May the fuzzer start one more? Some are left for works. */
bool shim_task_room(void);

/* task.c: tasklets that are scheduled; not inside a task */
void shim_softirq(void);

/* thread.c */
extern unsigned int shim_nr_threads;	/* not stopped */
/* The processor goes, or comes again. Process context. */
void shim_replug(void);

/* work.c */
extern long shim_nr_queues;	/* workqueues not destroyed */
unsigned int shim_nr_works(void);
struct work_struct *shim_work_at(unsigned int pick);
void shim_work_begin(struct work_struct *work);
unsigned int shim_nr_timers(void);
/* What takes less than a tick is over, for those who wait for it. */
void shim_hrtimers_expire(void);
/* Let @ticks pass, timers expire in their order; nothing of it runs yet. */
void shim_time_passes(unsigned long ticks);
void shim_works_reset(void);

/* rcu.c: a grace period ends, unless somebody reads. */
void shim_grace_period(void);
unsigned int shim_nr_callbacks(void);

/* module.c */
int shim_module_init(void);
void shim_module_exit(void);
/* Before init: nothing is left of the last time; in the initial namespace? */
void shim_load(bool initial);
struct net *shim_net(void);

/* memory.c */
void shim_memory_reset(void);

/* socket.c: the peer's end of a connection */
struct shim_peer {
	struct sock *sk;	/* NULL: the broker has released it */
	u8 *in;			/* to the broker; grows */
	u32 in_len;
	u32 in_size;
	u32 in_read;		/* of these, read */
	u32 segment;		/* so much in a read at most, 0: any */
	u32 window;		/* so much may the broker send now */
	u32 starved;		/* sends that fail for want of TCP's memory */
	u32 busy;		/* looks at which a user owns the socket */
	bool fin;		/* the peer has sent its FIN */
	bool reset;
	bool shut;		/* the broker has sent its FIN */
	/* Bytes the broker has read, and has sent. */
	void (*was_read)(struct shim_peer *peer, const u8 *data, u32 len);
	void (*was_sent)(struct shim_peer *peer, const u8 *data, u32 len);
};

/* Return: false: nobody listens at @port. */
bool shim_peer_connect(struct shim_peer *peer, u16 port);
void shim_peer_write(struct shim_peer *peer, const u8 *data, u32 len);
void shim_peer_fin(struct shim_peer *peer);
void shim_peer_reset(struct shim_peer *peer);
void shim_peer_open_window(struct shim_peer *peer, u32 bytes);
void shim_peer_free(struct shim_peer *peer);

/* netlink.c: the authority's socket and those who listen to events */
struct shim_request {
	u64 id;
	u8 stage;
	bool has_method;
};

extern bool shim_nl_full;		/* the authority's socket is full */
extern bool shim_nl_listening;		/* somebody listens to events */
extern unsigned int shim_nr_requests;
extern struct shim_request shim_requests[];
void shim_request_done(unsigned int which);

#endif
