/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loop: waits for descriptors and signals, in the main thread
 */
#ifndef KMQTTD_LOOP_H
#define KMQTTD_LOOP_H

/** typedef loop_fn - called when its descriptor is readable */
typedef void (*loop_fn)(void *arg);

/**
 * loop_init() - set the loop up and hold signals back
 * @on_signal: called from loop_run() with SIGHUP, SIGTERM or SIGINT
 *
 * Call it before any thread is started: threads inherit the signal mask.
 *
 * Return: 0 or negative errno.
 */
int loop_init(void (*on_signal)(int signo));

/** loop_add() - call @fn(@arg) when @fd is readable; 0 or negative errno */
int loop_add(int fd, loop_fn fn, void *arg);

/** loop_del() - forget a descriptor, before it is closed */
void loop_del(int fd);

/** loop_run() - wait and call until loop_stop(); 0 or negative errno */
int loop_run(void);

/** loop_stop() - let loop_run() return after the call that is running */
void loop_stop(void);

/** loop_uninit() - close what loop_init() opened */
void loop_uninit(void);

#endif /* KMQTTD_LOOP_H */
