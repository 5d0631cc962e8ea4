/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ctl: what the commands of kmqttctl share
 *
 * A command first reads all of its arguments, then asks the kernel, so that a
 * mistake in the arguments is told with or without a module, and changes
 * nothing. What cannot go on ends the program: ctl_usage() and ctl_die().
 */
#ifndef KMQTT_CTL_CTL_H
#define KMQTT_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "genl.h"
#include "print.h"

/**
 * enum ctl_status - exit statuses
 * @CTL_OK: done
 * @CTL_REFUSED: the kernel refused, or there is no such object
 * @CTL_USAGE: the arguments make no sense; nothing was asked
 * @CTL_UNREACHABLE: no module, no permission, no answer, no output
 */
enum ctl_status {
	CTL_OK = 0,
	CTL_REFUSED = 1,
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3,
};

/**
 * struct ctl - one run of the program
 * @nl: the connection; NULL until ctl_msg() is first called
 * @out: where results go
 * @object: the command's first word, in full
 * @verb: its second word, in full, or NULL
 * @argc: words left
 * @argv: the words left
 */
struct ctl {
	struct kmnl *nl;
	struct out out;
	const char *object;
	const char *verb;
	int argc;
	char **argv;
};

/**
 * struct ctl_verb - what can be done with an object
 * @name: the word
 * @args: its arguments, for the help; "" if none
 * @help: what it does, in some words
 * @run: does it; returns an enum ctl_status
 */
struct ctl_verb {
	const char *name;
	const char *args;
	const char *help;
	int (*run)(struct ctl *ctl);
};

/**
 * struct ctl_object - an object of the broker
 * @name: the word
 * @help: what it is, in some words
 * @verbs: ended by one without a name; the first is done if none is given.
 *	One whose name is "" takes all arguments itself.
 */
struct ctl_object {
	const char *name;
	const char *help;
	const struct ctl_verb *verbs;
};

extern const struct ctl_verb listener_verbs[], client_verbs[], session_verbs[],
	subscription_verbs[], retained_verbs[], stats_verbs[], config_verbs[],
	acl_verbs[], monitor_verbs[], stop_verbs[];

/** ctl_alloc() - malloc() that ends the program without memory */
void *ctl_alloc(size_t size);

/** ctl_die() - say what is wrong and end the program with @status */
void ctl_die(const struct ctl *ctl, int status, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/** ctl_usage() - the same for a mistake in the arguments; names the help */
void ctl_usage(const struct ctl *ctl, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/** ctl_warn() - say something on stderr and go on */
void ctl_warn(const struct ctl *ctl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * ctl_next() - take the next argument
 * @ctl: run
 * @what: what is expected, for the message if there is none
 *
 * Return: the argument; the program ends if there is none.
 */
const char *ctl_next(struct ctl *ctl, const char *what);

/** ctl_end() - there must be no argument left */
void ctl_end(const struct ctl *ctl);

/**
 * ctl_keyword() - which of some words is this?
 * @ctl: run
 * @arg: what was typed: a word or the unambiguous beginning of one
 * @words: the words, ended by NULL
 *
 * Return: its index; the program ends if it is none of them.
 */
int ctl_keyword(const struct ctl *ctl, const char *arg,
		const char *const *words);

/**
 * ctl_prefix() - the same without a message
 *
 * Return: the index, -1 if none matches, -2 if several do.
 */
int ctl_prefix(const char *arg, const char *const *words);

/** ctl_open() - connect to the module, or end the program */
void ctl_open(struct ctl *ctl);

/** ctl_msg() - start a request, connecting first; never NULL */
struct nl_msg *ctl_msg(struct ctl *ctl, int cmd);

/** ctl_put_string() - add a string; ends the program if it is too long */
void ctl_put_string(const struct ctl *ctl, struct nl_msg *msg, int type,
		    const char *s);

/** ctl_put() - add an attribute of @len bytes */
void ctl_put(const struct ctl *ctl, struct nl_msg *msg, int type,
	     const void *data, int len);

/**
 * ctl_answered() - say why a request has failed, if it has
 * @ctl: run
 * @err: what kmnl_request() or kmnl_dump() has returned
 *
 * Return: the status it comes to.
 */
int ctl_answered(struct ctl *ctl, int err);

/**
 * ctl_request() - send a request and wait for the answer
 * @ctl: run
 * @msg: consumed
 * @fn: gets the answer, or NULL
 * @arg: for @fn
 *
 * Return: CTL_OK, or another status after saying why.
 */
int ctl_request(struct ctl *ctl, struct nl_msg *msg, kmnl_fn fn, void *arg);

/** ctl_dump() - the same for a table: @fn gets each object */
int ctl_dump(struct ctl *ctl, struct nl_msg *msg, kmnl_fn fn, void *arg);

/** ctl_status_of() - the status to end with after negative errno @err */
int ctl_status_of(int err);

/**
 * struct ctl_match - which objects of a table to show
 * @id: client identifier, or NULL
 * @like: shell pattern for it, or NULL
 * @ctl: run
 * @found: objects that matched so far
 */
struct ctl_match {
	const char *id;
	const char *like;
	struct ctl *ctl;
	unsigned long found;
};

/** ctl_match_id() - count @id and return true if it is to be shown */
bool ctl_match_id(struct ctl_match *match, const char *id);

/**
 * ctl_match_show() - a table of what belongs to clients
 * @ctl: run; its arguments are read as "[[id] ID] [like PATTERN]" to the last
 * @cmd: enum kmqtt_cmd of the dump
 * @table: its columns
 * @columns: how many
 * @one: called for each object with a struct ctl_match
 * @none: what there is none of, if a client that was named has none ("client is
 *	connected"); or NULL: then the kernel picks, and none is no error
 *
 * Return: exit status
 */
int ctl_match_show(struct ctl *ctl, int cmd, const struct out_column *table,
		   unsigned int columns, kmnl_fn one, const char *none);

/**
 * ctl_netns() - enter a network namespace
 * @ctl: run
 * @name: as of "ip netns", or a path
 *
 * Ends the program if it cannot.
 */
void ctl_netns(const struct ctl *ctl, const char *name);

#endif /* KMQTT_CTL_CTL_H */
