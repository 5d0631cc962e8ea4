// SPDX-License-Identifier: GPL-2.0
#include "auth.h"

#include <errno.h>
#include <string.h>

#include <linux/kmqtt.h>
#include <netlink/attr.h>

#include "kernel.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "worker.h"

/* reason codes of MQTT 5.0, table 2-6; the module knows 3.x's for them */
enum reason {
	REASON_SUCCESS			= 0x00,
	REASON_BAD_USER_OR_PASSWORD	= 0x86,
	REASON_NOT_AUTHORIZED		= 0x87,
	REASON_SERVER_UNAVAILABLE	= 0x88,
	REASON_BAD_METHOD		= 0x8c,
};

/* as many requests as may be outstanding, of the usual size, and more */
#define RCVBUF	(8 * 1024 * 1024)

static struct kmnl *nl;
static const struct plan *plan;
static int worker_fd = -1;

static void reply(uint64_t request, enum reason reason)
{
	struct nl_msg *msg = kmnl_msg_small(nl, KMQTT_CMD_AUTH_REPLY);
	int ret;

	if (msg && (nla_put_u64(msg, KMQTT_A_REQUEST_ID, request) ||
		    nla_put_u8(msg, KMQTT_A_REASON, reason))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = kmnl_send(nl, msg);
	if (ret < 0)
		log_limited(LOG_TYPE_WARNING, "a client waits in vain: %s",
			    kmnl_error(nl));
}

static void refuse(uint64_t request, enum reason reason, const char *client,
		   const char *why)
{
	log_limited(LOG_TYPE_NOTICE, "%s refused: %s", client, why);
	reply(request, reason);
}

/* one that kmqttctl added is as those of the configuration are by default */
static bool anonymous_on(uint32_t listener)
{
	for (size_t i = 0; i < plan->endpoints.count; i++) {
		if (plan->endpoints.list[i].id == listener)
			return plan->endpoints.list[i].anonymous;
	}
	return plan->config->anonymous == 1;
}

static void check_password(uint64_t request, struct nlattr **a,
			   const char *client)
{
	struct nlattr *password = a[KMQTT_A_PASSWORD];
	struct worker_job *job;

	job = worker_job_new(plan->passwords,
			     nla_get_string(a[KMQTT_A_USERNAME]),
			     password ? nla_data(password) : NULL,
			     password ? nla_len(password) : 0, client);
	if (!job) {
		refuse(request, REASON_SERVER_UNAVAILABLE, client,
		       "out of memory");
		return;
	}
	job->request = request;
	if (!worker_put(job)) {
		worker_job_free(job);
		refuse(request, REASON_SERVER_UNAVAILABLE, client,
		       "too many passwords wait to be checked");
	}
}

static int request_handle(int cmd, struct nlattr **a, void *arg)
{
	char client[PEER_TEXT_SIZE];
	uint64_t request;

	if (cmd != KMQTT_CMD_AUTH_REQUEST || !a[KMQTT_A_REQUEST_ID] ||
	    !a[KMQTT_A_LISTENER_ID])
		return 0;
	request = nla_get_u64(a[KMQTT_A_REQUEST_ID]);
	peer_text(a, client, sizeof(client));
	if (a[KMQTT_A_AUTH_METHOD])
		refuse(request, REASON_BAD_METHOD, client,
		       "no authentication method is served yet");
	else if (a[KMQTT_A_USERNAME] && plan->passwords)
		check_password(request, a, client);
	else if (anonymous_on(nla_get_u32(a[KMQTT_A_LISTENER_ID])))
		reply(request, REASON_SUCCESS);
	else if (a[KMQTT_A_USERNAME])
		refuse(request, REASON_NOT_AUTHORIZED, client,
		       "there is no password_file, so no user is known");
	else
		refuse(request, REASON_NOT_AUTHORIZED, client,
		       "it gave no user name, and anonymous clients are not allowed");
	return 0;
}

static void results_handle(void *arg)
{
	struct worker_job *job;

	while ((job = worker_get())) {
		if (job->result > 0)
			reply(job->request, REASON_SUCCESS);
		else if (job->result < 0)
			refuse(job->request, REASON_SERVER_UNAVAILABLE,
			       job->client, "out of memory");
		else
			refuse(job->request, REASON_BAD_USER_OR_PASSWORD,
			       job->client, "bad user name or password");
		worker_job_free(job);
	}
}

int auth_open(struct diag *diag)
{
	char err[256];
	int ret;

	nl = kmnl_open(err, sizeof(err));
	if (!nl)
		return diag_error(diag, NULL, 0, "%s", err);
	kmnl_set_rcvbuf(nl, RCVBUF);
	kmnl_set_handler(nl, request_handle, NULL);
	ret = kernel_authority(nl);
	if (!ret)
		return 0;
	if (ret == -EBUSY)
		diag_error(diag, NULL, 0,
			   "another kmqttd is running in this network namespace: stop it first");
	else
		diag_error(diag, NULL, 0,
			   "cannot become the module's authority: %s",
			   kmnl_error(nl));
	kmnl_close(nl);
	nl = NULL;
	return -1;
}

static void requests_read(void *arg)
{
	int ret = kmnl_read(nl);

	/*
	 * -ENOBUFS: the module knows what did not fit, and sends it again.
	 * -ENOENT: the client was gone before its answer.
	 */
	if (ret < 0 && ret != -ENOBUFS && ret != -ENOENT)
		log_limited(LOG_TYPE_WARNING, "%s", kmnl_error(nl));
}

int auth_start(struct diag *diag)
{
	int ret;

	if (passwd_prepare() < 0)
		return diag_error(diag, NULL, 0,
				  "cannot compute hashes of passwords: out of memory");
	worker_fd = worker_start();
	if (worker_fd < 0)
		return diag_error(diag, NULL, 0,
				  "cannot start the thread that checks passwords: %s",
				  strerror(-worker_fd));
	ret = loop_add(worker_fd, results_handle, NULL);
	if (!ret)
		ret = loop_add(kmnl_fd(nl), requests_read, NULL);
	if (ret < 0)
		return diag_error(diag, NULL, 0,
				  "cannot wait for requests: %s",
				  strerror(-ret));
	return 0;
}

void auth_set(const struct plan *new_plan)
{
	plan = new_plan;
	/* what came with the answer to a request does not wake the loop */
	requests_read(NULL);
}

void auth_close(void)
{
	if (worker_fd >= 0) {
		loop_del(worker_fd);
		worker_stop();
		worker_fd = -1;
	}
	if (nl) {
		loop_del(kmnl_fd(nl));
		kmnl_close(nl);
		nl = NULL;
	}
}
