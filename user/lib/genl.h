/* SPDX-License-Identifier: GPL-2.0 */
/*
 * genl: generic netlink to the module, for the daemon and the CLI
 *
 * A request is built with libnl's nla_put_*() into the message that
 * kmnl_msg() gives, and is consumed by the call that sends it:
 *
 *	struct nl_msg *msg = kmnl_msg(nl, KMQTT_CMD_CLIENT_DEL);
 *
 *	if (!msg || nla_put_string(msg, KMQTT_A_CLIENT_ID, id) < 0)
 *		... no memory, or the identifier is too long ...
 *	if (kmnl_request(nl, msg, NULL, NULL) < 0)
 *		fprintf(stderr, "%s\n", kmnl_error(nl));
 *
 * Errors are negative errno values, and kmnl_error() has a sentence for the
 * last one: the kernel's extended-ack text if it gave one. A handle belongs
 * to one thread.
 */
#ifndef KMQTT_USER_GENL_H
#define KMQTT_USER_GENL_H

#include <stddef.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <linux/kmqtt.h>

/* room for a batch of rules, or the longest identifier with its name */
#define KMNL_MSG_SIZE	(192 * 1024)

/* what fits in an attribute: its length is 16 bits, header included */
#define KMNL_ATTR_MAX	(65535 - NLA_HDRLEN)

struct kmnl;

/**
 * typedef kmnl_fn - receiver of messages
 * @cmd: enum kmqtt_cmd of the message
 * @attrs: its attributes by type (NULL if absent), KMQTT_A_MAX_ATTR + 1 of
 *	them, types and lengths checked; valid during the call only
 * @arg: as given with the function
 *
 * Return: 0 to go on, negative errno to give up; that value is then what the
 * call that was running returns (a dump is read to its end all the same).
 */
typedef int (*kmnl_fn)(int cmd, struct nlattr **attrs, void *arg);

/**
 * kmnl_open() - connect to the module
 * @err: room for a sentence if it fails
 * @size: bytes of @err
 *
 * Return: a handle (end it with kmnl_close()), or NULL with @err filled and
 * errno set: ENOENT if the module is not loaded, EPERM, ENOMEM, ...
 */
struct kmnl *kmnl_open(char *err, size_t size);

/** kmnl_close() - end a handle; the authority, if it was one, is gone too */
void kmnl_close(struct kmnl *nl);

/**
 * kmnl_error() - what the last failing call on @nl died of
 * @nl: handle
 *
 * Return: one sentence without a newline, valid until the next call.
 */
const char *kmnl_error(const struct kmnl *nl);

/**
 * kmnl_msg() - start a request
 * @nl: handle
 * @cmd: enum kmqtt_cmd
 *
 * Return: a message with room for KMNL_MSG_SIZE bytes, owned by the caller
 * until it is sent (or nlmsg_free()d); NULL without memory.
 */
struct nl_msg *kmnl_msg(struct kmnl *nl, int cmd);

/**
 * kmnl_msg_small() - as kmnl_msg(), with room for a page only
 *
 * For messages that are sent by the thousand.
 */
struct nl_msg *kmnl_msg_small(struct kmnl *nl, int cmd);

/**
 * kmnl_request() - send a request and wait until it is acknowledged
 * @nl: handle
 * @msg: consumed in any case; NULL is answered with -ENOMEM
 * @fn: gets the answer's attributes, if the command has an answer; or NULL
 * @arg: for @fn
 *
 * Waits 30 s at most (-ETIMEDOUT). An answer that was lost is not waited for:
 * -ENOBUFS if there was no room for it in the socket's buffer, -ENOMEM if it
 * was too long for the memory there is here. After these three, what was asked
 * may have been done or not.
 *
 * Return: 0, or negative errno and kmnl_error().
 */
int kmnl_request(struct kmnl *nl, struct nl_msg *msg, kmnl_fn fn, void *arg);

/**
 * kmnl_dump() - send a dump request and read all of it
 * @nl: handle
 * @msg: consumed in any case; NULL is answered with -ENOMEM
 * @fn: gets each object
 * @arg: for @fn
 *
 * Return: 0, or negative errno as kmnl_request() and kmnl_error(). A dump
 * during which the table changed is complete but for the change;
 * kmnl_dump_changed() tells.
 */
int kmnl_dump(struct kmnl *nl, struct nl_msg *msg, kmnl_fn fn, void *arg);

/** kmnl_dump_changed() - did the table change during the last dump? */
int kmnl_dump_changed(const struct kmnl *nl);

/**
 * kmnl_send() - send a request without waiting
 * @nl: handle
 * @msg: consumed in any case; NULL is answered with -ENOMEM
 *
 * The kernel answers only if it refuses; the refusal is met by kmnl_read().
 *
 * Return: 0, or negative errno: -EAGAIN if the socket's buffer is full.
 */
int kmnl_send(struct kmnl *nl, struct nl_msg *msg);

/**
 * kmnl_set_handler() - who gets messages that answer no request
 * @nl: handle
 * @fn: called for AUTH_REQUEST and EVENT, from kmnl_read(); NULL drops them
 * @arg: for @fn
 *
 * What arrives while a request waits for its answer is kept for the next
 * kmnl_read(), which must be called without waiting for the descriptor.
 */
void kmnl_set_handler(struct kmnl *nl, kmnl_fn fn, void *arg);

/**
 * kmnl_subscribe() - join the group "events"
 * @nl: handle, best one that does nothing else
 *
 * Return: 0, or negative errno and kmnl_error().
 */
int kmnl_subscribe(struct kmnl *nl);

/** kmnl_fd() - descriptor to poll for input before kmnl_read() */
int kmnl_fd(const struct kmnl *nl);

/**
 * kmnl_set_rcvbuf() - size of the receive buffer
 * @nl: handle
 * @bytes: wanted; beyond the system's limit if the caller may
 */
void kmnl_set_rcvbuf(struct kmnl *nl, int bytes);

/**
 * kmnl_read() - handle what has arrived, never waiting
 * @nl: handle
 *
 * Reads a bounded number of datagrams: call it again when the descriptor
 * is still readable.
 *
 * Return: 0; -ENOBUFS if messages were lost, or -ENOMEM if that was for want of
 * memory here (go on reading): the module does not know of these; the negative
 * errno that the handler returned; or that of a request sent by kmnl_send()
 * that was refused, with kmnl_error() (go on reading).
 */
int kmnl_read(struct kmnl *nl);

/**
 * kmnl_attr_name() - name of an attribute, for messages
 * @type: enum kmqtt_attr
 *
 * Return: such as "PORT"; "?" if unknown.
 */
const char *kmnl_attr_name(int type);

#endif /* KMQTT_USER_GENL_H */
