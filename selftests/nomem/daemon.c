// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's life, from its start through questions about clients and two
 * reloads to its end, against the played module. What happens next happens
 * when it waits: its epoll_wait() is here.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "files.h"
#include "nlsock.h"
#include "passwd.h"
#include "run.h"

/* main() of user/daemon/main.c, which has another name here */
int kmqttd_main(int argc, char **argv);

#define ACCEPTED	0x00
#define BAD_PASSWORD	0x86
#define NOT_AUTHORIZED	0x87
#define UNAVAILABLE	0x88
#define BAD_METHOD	0x8c

#define NEW_CONF	"listener 2000 127.0.0.1\nmax_connections 5\n" \
			"listener 2002 127.0.0.1\n" \
			"allow_anonymous false\npassword_file passwd\n" \
			"acl_file rules\nmax_keepalive 99\n" \
			"max_inflight_messages 7\nlog_type all\n"
#define NEW_RULES	"topic a\ntopic b\ntopic c\ntopic d\ntopic e\n"

/* the module does not take it, and the old log is out of reach by then */
#define BAD_CONF	"listener 2000 127.0.0.1\nlog_dest file other\n" \
			"max_queued_messages 4000000000\n" \
			"pid_file passwd\nlog_type all\n"

#define IN_FORCE	"the new configuration is in force"
#define NOT_CHANGED	"nothing was changed"
#define SERVES		"serves"
#define PATIENCE	20	/* seconds */

#define LAST_STEP	13

#define NOTE_WAITS	1
#define NOTE_PID	2

/* of the life */
static unsigned int step;
static int asked = -1;		/* question whose answer is awaited */
static unsigned int reloads;	/* whose end is awaited */
static time_t since;

/* the log so far; the allocator is not asked */
static const char *log_so_far(void)
{
	static char text[RUN_TEXT];
	ssize_t n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = 0;
	return text;
}

static unsigned int times(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void ask(const char *user, const char *password, const char *method)
{
	if (module->authority < 0)
		return;
	asked = module_ask(user, password, method);
}

static void change_files(const char *conf, const char *rules)
{
	file_write("conf", conf);
	file_write("rules", rules);
	reloads++;
	kill(getpid(), SIGHUP);
}

static char *long_name(void)
{
	static char name[40000];

	memset(name, 'n', sizeof(name) - 1);
	return name;
}

/* Return: was that the last step? */
static bool step_next(void)
{
	alloc_now = &outcome->alloc;
	switch (step++) {
	case 0:
		ask(NULL, NULL, NULL);
		break;
	case 1:
		ask("alice", "wonderland", NULL);
		break;
	case 2:
		ask("bob", "builder", NULL);
		break;
	case 3:
		ask("alice", "builder", NULL);
		break;
	case 4:
		ask("eve", "", NULL);
		break;
	case 5:
		ask(NULL, NULL, "SCRAM");
		break;
	case 6:
		ask(long_name(), "secret", NULL);
		break;
	case 7:
		module_event();
		break;
	case 8:
		rename("log", "log.1");
		mkdir("log", 0700);
		change_files(BAD_CONF, NEW_RULES);
		break;
	case 9:
		change_files(NEW_CONF, NEW_RULES);
		break;
	case 10:
		ask("bob", "builder", NULL);
		break;
	case 11:
		ask(NULL, NULL, NULL);
		break;
	case 12:
		change_files("listener 2000\nmax_qos 3\n", "topic a#\n");
		break;
	case LAST_STEP:
		kill(getpid(), SIGTERM);
		break;
	default:
		return true;
	}
	return false;
}

static bool step_done(void)
{
	const char *log;

	if (asked >= 0 && module->answers[asked] != MODULE_UNANSWERED)
		asked = -1;
	if (asked < 0 && !reloads)
		return true;
	log = log_so_far();
	/* a question may get lost, but not in silence */
	if (asked >= 0 && (strstr(log, "waits in vain") ||
			   strstr(log, "out of memory"))) {
		asked = -1;
		return !reloads;
	}
	if (reloads && times(log, IN_FORCE) + times(log, NOT_CHANGED) >=
	    times(log, "reading the configuration again") &&
	    times(log, "reading the configuration again")) {
		reloads = 0;
		return asked < 0;
	}
	return false;
}

/* the daemon's own; the next step comes when there is nothing else to do */
int epoll_wait(int fd, struct epoll_event *ev, int max, int timeout)
{
	long n;

	for (;;) {
		n = syscall(SYS_epoll_pwait, fd, ev, max, 0, NULL, 8);
		if (n)
			return n;
		if (step_done()) {
			since = time(NULL);
			if (step_next())
				break;
			continue;
		}
		if (time(NULL) - since > PATIENCE) {
			outcome->note = NOTE_WAITS;
			kill(getpid(), SIGTERM);
		}
		n = syscall(SYS_epoll_pwait, fd, ev, max, 20, NULL, 8);
		if (n)
			return n;
	}
	return syscall(SYS_epoll_pwait, fd, ev, max, timeout, NULL, 8);
}

/*
 * libcrypto sets itself up when it is first used, and crashes by itself if
 * there is no memory for that. So the daemon uses it before it serves, and
 * tests of what comes before that find it done.
 */
static void crypto_ready(void)
{
	struct alloc *a = alloc_now;
	unsigned char out[64] = "salt";

	alloc_now = NULL;
	PKCS5_PBKDF2_HMAC("", 0, out, 12, 1, EVP_sha512(), sizeof(out), out);
	EVP_Digest("", 0, out, NULL, EVP_sha512(), NULL);
	alloc_now = a;
}

static int daemon_run(const struct scenario *s)
{
	char words[3][16] = { "kmqttd", "-c", "conf" }, test[] = "-t";
	bool only_test = !strcmp(s->args[0], "-t");
	char *argv[] = { words[0], words[1], words[2],
			 only_test ? test : NULL, NULL };
	int status;

	files_write();
	if (!strcmp(s->args[0], "serve"))
		alloc_now = NULL;	/* until it serves */
	else
		crypto_ready();
	step = !strcmp(s->args[0], "start") ? LAST_STEP : 0;
	optind = 1;
	status = kmqttd_main(only_test ? 4 : 3, argv);
	/* ours and no other, whatever was read later */
	if (!access("pid", F_OK) || access("passwd", F_OK))
		outcome->note = NOTE_PID;
	return status;
}

static bool state_is(const struct module *m, bool new)
{
	const struct module_listener *a = module_listener(m, 2000);
	const struct module_listener *b = module_listener(m, new ? 2002 : 2001);

	return a && b && a->max_connections == (new ? 5 : 0) &&
		!module_listener(m, new ? 2001 : 2002) &&
		!module_listener(m, 2009) == new &&
		module_setting(m, "max_keepalive") == (new ? 99 : 60) &&
		module_setting(m, "max_inflight") == (new ? 7 : 30) &&
		m->rules_on && m->rules == (new ? 5 : 3) && !m->staged;
}

static bool state_is_none(const struct module *m)
{
	for (int i = 0; i < MODULE_LISTENERS; i++) {
		if (m->listeners[i].id)
			return false;
	}
	return module_setting(m, "max_keepalive") == 65535 &&
		module_setting(m, "max_inflight") == 20 && !m->rules_on &&
		!m->staged;
}

static const char *judge_answers(const struct outcome *is)
{
	static const int wanted[] = {
		ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, BAD_PASSWORD,
		BAD_PASSWORD, BAD_METHOD, BAD_PASSWORD, ACCEPTED,
		NOT_AUTHORIZED,
	};
	bool reloaded = outcome_says(is, IN_FORCE);
	int want, answer;

	for (int i = 0; i < is->module.questions; i++) {
		want = wanted[i];
		answer = is->module.answers[i];
		if (want == NOT_AUTHORIZED && !reloaded)
			want = ACCEPTED;
		if (answer == want || answer == UNAVAILABLE)
			continue;
		if (answer == ACCEPTED)
			return "a client was let in that must not be";
		if (answer != MODULE_UNANSWERED)
			return "a client got an answer that is not right";
		if (!outcome_says(is, "waits in vain") &&
		    !outcome_says(is, "out of memory"))
			return "a client got no answer, and nobody says why";
	}
	return NULL;
}

static const char *judge_served(const struct outcome *is)
{
	const char *wrong = judge_answers(is);

	if (wrong)
		return wrong;
	if (!is->module.stopped && !outcome_says(is, "cannot stop the broker"))
		return "the broker was left as it is, without a word";
	/* what cannot be undone is said: of more failures than one */
	if (!outcome_once(is) && outcome_says(is, "cannot "))
		return NULL;
	if (outcome_says(is, IN_FORCE) && !state_is(&is->module, true) &&
	    !outcome_says(is, "cannot change a listener") &&
	    !outcome_says(is, "cannot remove a listener"))
		return "a part of the new configuration is not in force";
	if (!outcome_says(is, IN_FORCE) && !state_is(&is->module, false))
		return "a part of a configuration that was refused is in force";
	return NULL;
}

static const char *judge_life(const struct outcome *is,
			      const struct outcome *good)
{
	if (is->note)
		return is->note == NOTE_PID ?
			"the file of its process id is left" :
			"it waits for something that does not come";
	if (is->status && !*is->err)
		return "it fails without a word";
	if (is->status > 1)
		return "it ends with another status than 0 and 1";
	if (outcome_says(is, SERVES))
		return judge_served(is);
	if (!is->status)
		return "it ends well without having served";
	if (outcome_once(is) && !state_is_none(&is->module))
		return "a start that failed leaves something behind";
	return NULL;
}

static const char *judge_test(const struct outcome *is,
			      const struct outcome *good)
{
	if (is->status && !*is->err)
		return "it fails without a word";
	if (is->status > 1)
		return "it ends with another status than 0 and 1";
	return NULL;
}

/* One that cannot be made is not one that failed. */
static int password_check(const struct scenario *s)
{
	static struct diag diag;
	struct passwd_db *db;
	struct alloc *a = alloc_now;
	int right, wrong;

	alloc_now = NULL;
	files_write();
	crypto_ready();
	db = passwd_read("passwd", &diag, NULL, 0);
	alloc_now = a;
	right = passwd_check(db, s->args[0], s->args[1], strlen(s->args[1]));
	wrong = passwd_check(db, s->args[0], "wrong", 5);
	passwd_put(db);
	printf("%d %d\n", right, wrong);
	return 0;
}

static const char *judge_check(const struct outcome *is,
			       const struct outcome *good)
{
	int right, wrong;

	if (sscanf(is->out, "%d %d", &right, &wrong) != 2)
		return "no answer";
	if (is == good)
		return right == 1 && !wrong ? NULL : "not the right answer";
	if (!right || wrong > 0)
		return "an answer that is wrong";
	return NULL;
}

#define WITH(...)	((const char *const []){ __VA_ARGS__, NULL })

static const struct scenario scenarios[] = {
	{ "kmqttd -t", daemon_run, judge_test, WITH("-t") },
	{ "kmqttd starts", daemon_run, judge_life, WITH("start") },
	{ "kmqttd serves", daemon_run, judge_life, WITH("serve") },
	{ "password check, many rounds", password_check, judge_check,
	  WITH("alice", "wonderland") },
	{ "password check, one round", password_check, judge_check,
	  WITH("bob", "builder") },
};

int main(void)
{
	struct scenario all[16];
	int nr = 0;

	for (int i = 0; i < nr_file_scenarios; i++)
		all[nr++] = file_scenarios[i];
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		all[nr++] = scenarios[i];
	return run_all(all, nr);
}
