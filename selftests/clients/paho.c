// SPDX-License-Identifier: GPL-2.0
/* Paho's C client against the broker at KMQTT_HOST:KMQTT_PORT. KTAP. */
#include <MQTTClient.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT		60	/* seconds an answer may take */
#define SESSION_SECONDS	3600
#define MESSAGES	20
#define TEXT_MAX	8192

/** struct client - one connection */
struct client {
	MQTTClient handle;
	int version;
	bool present;		/* CONNACK says so; known with 3.1.1 only */
};

/** struct will - what MQTTClient_connect() shall leave behind */
struct will {
	const char *topic;
	const char *text;
	int qos;
};

static char uri[128];
static char topic[64];
static char why[512];

static bool wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return false;
}

static int connect_v5(struct client *c, MQTTClient_connectOptions *how,
		      bool clean)
{
	MQTTProperties props = MQTTProperties_initializer;
	MQTTProperty expiry = {
		.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
		.value.integer4 = SESSION_SECONDS,
	};
	MQTTResponse answer;
	int code;

	if (!clean)
		MQTTProperties_add(&props, &expiry);
	how->cleanstart = clean;
	answer = MQTTClient_connect5(c->handle, how, &props, NULL);
	code = answer.reasonCode;
	MQTTResponse_free(answer);
	MQTTProperties_free(&props);
	return code;
}

static bool client_open(struct client *c, int version, const char *name,
			bool clean, const struct will *leave)
{
	MQTTClient_connectOptions v3 = MQTTClient_connectOptions_initializer;
	MQTTClient_connectOptions v5 = MQTTClient_connectOptions_initializer5;
	MQTTClient_connectOptions *how = version == MQTTVERSION_5 ? &v5 : &v3;
	MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
	MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
	char id[64];
	int code;

	c->version = version;
	create.MQTTVersion = version;
	snprintf(id, sizeof(id), "c%d-%s", (int)getpid(), name);
	code = MQTTClient_createWithOptions(&c->handle, uri, id,
					    MQTTCLIENT_PERSISTENCE_NONE, NULL,
					    &create);
	if (code)
		return wrong("%s: create: %d", name, code);
	how->keepAliveInterval = 600;
	how->connectTimeout = LIMIT;
	how->MQTTVersion = version;
	if (leave) {
		will.topicName = leave->topic;
		will.message = leave->text;
		will.qos = leave->qos;
		how->will = &will;
	}
	if (version == MQTTVERSION_5) {
		code = connect_v5(c, how, clean);
	} else {
		how->cleansession = clean;
		code = MQTTClient_connect(c->handle, how);
	}
	c->present = how->returned.sessionPresent;
	return !code || wrong("%s: connect: %d", name, code);
}

static bool client_leave(struct client *c)
{
	int code = c->version == MQTTVERSION_5 ?
		MQTTClient_disconnect5(c->handle, LIMIT * 1000,
				       MQTTREASONCODE_SUCCESS, NULL) :
		MQTTClient_disconnect(c->handle, LIMIT * 1000);

	MQTTClient_destroy(&c->handle);
	return !code || wrong("disconnect: %d", code);
}

static bool client_subscribe(struct client *c, const char *filter, int qos)
{
	MQTTResponse answer;
	int code;

	if (c->version == MQTTVERSION_5) {
		answer = MQTTClient_subscribe5(c->handle, filter, qos, NULL,
					       NULL);
		code = answer.reasonCode;
		MQTTResponse_free(answer);
		return code == qos || wrong("subscribe: 0x%02x", code);
	}
	code = MQTTClient_subscribe(c->handle, filter, qos);
	return !code || wrong("subscribe: %d", code);
}

static bool client_publish(struct client *c, const char *text, int qos,
			   bool retain)
{
	MQTTClient_deliveryToken token = 0;
	MQTTResponse answer;
	int code;

	if (c->version == MQTTVERSION_5) {
		answer = MQTTClient_publish5(c->handle, topic, strlen(text),
					     text, qos, retain, NULL, &token);
		code = answer.reasonCode;
		MQTTResponse_free(answer);
	} else {
		code = MQTTClient_publish(c->handle, topic, strlen(text), text,
					  qos, retain, &token);
	}
	if (!code && qos)
		code = MQTTClient_waitForCompletion(c->handle, token,
						    LIMIT * 1000);
	return !code || wrong("publish: %d", code);
}

static bool client_expect(struct client *c, const char *text, int qos,
			  bool retained)
{
	MQTTClient_message *msg = NULL;
	char *got = NULL;
	int len, code;
	bool same;

	code = MQTTClient_receive(c->handle, &got, &len, &msg, LIMIT * 1000);
	if (!msg)
		return wrong("no '%.20s' in time (%d)", text, code);
	same = !strcmp(got, topic) && msg->payloadlen == (int)strlen(text) &&
	       !memcmp(msg->payload, text, msg->payloadlen) &&
	       msg->qos == qos && msg->retained == retained;
	if (!same)
		wrong("got '%.*s' at QoS %d, retained %d on %s, not '%.20s' at QoS %d, retained %d",
		      msg->payloadlen > 20 ? 20 : msg->payloadlen,
		      (char *)msg->payload, msg->qos, msg->retained, got, text,
		      qos, retained);
	MQTTClient_freeMessage(&msg);
	MQTTClient_free(got);
	return same;
}

/* Whatever else there was would come before this message. */
static bool nothing_else(struct client *sub, struct client *pub, int qos)
{
	return client_publish(pub, "last", qos, false) &&
	       client_expect(sub, "last", qos, false);
}

static const char *text_of(int number)
{
	static char text[TEXT_MAX];

	memset(text, 'x', sizeof(text));
	snprintf(text + number * 300, 16, "%d", number);
	return text;
}

static bool delivery(int version, int qos)
{
	struct client sub, pub;
	int i;

	if (!client_open(&sub, version, "sub", true, NULL) ||
	    !client_open(&pub, version, "pub", true, NULL) ||
	    !client_subscribe(&sub, topic, qos))
		return false;
	for (i = 0; i < MESSAGES; i++)
		if (!client_publish(&pub, text_of(i), qos, false))
			return false;
	for (i = 0; i < MESSAGES; i++)
		if (!client_expect(&sub, text_of(i), qos, false))
			return false;
	return nothing_else(&sub, &pub, qos) && client_leave(&sub) &&
	       client_leave(&pub);
}

static bool retained(int version, int qos)
{
	struct client pub, first, second;

	return client_open(&pub, version, "pub", true, NULL) &&
	       client_publish(&pub, "old", qos, true) &&
	       client_publish(&pub, "new", qos, true) &&
	       client_open(&first, version, "first", true, NULL) &&
	       client_subscribe(&first, topic, qos) &&
	       client_expect(&first, "new", qos, true) &&
	       nothing_else(&first, &pub, qos) && client_leave(&first) &&
	       client_publish(&pub, "", qos, true) &&
	       client_open(&second, version, "second", true, NULL) &&
	       client_subscribe(&second, topic, qos) &&
	       nothing_else(&second, &pub, qos) && client_leave(&second) &&
	       client_leave(&pub);
}

/* Connects in a process of its own, which is then killed. */
static bool vanish(int version, const struct will *leave)
{
	struct client c;
	char answer = 'n';
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return wrong("pipe");
	pid = fork();
	if (!pid) {
		answer = client_open(&c, version, "vanishes", true, leave) ?
			 'y' : 'n';
		if (write(ends[1], &answer, 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], &answer, 1) != 1 || answer != 'y')
		wrong("the client that shall vanish does not connect");
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return answer == 'y';
}

static bool will(int version, int qos)
{
	struct client sub, pub, leaves;
	const struct will never = { topic, "never", qos };
	const struct will gone = { topic, "gone", qos };

	return client_open(&sub, version, "sub", true, NULL) &&
	       client_subscribe(&sub, topic, qos) &&
	       client_open(&leaves, version, "leaves", true, &never) &&
	       client_leave(&leaves) && vanish(version, &gone) &&
	       client_expect(&sub, "gone", qos, false) &&
	       client_open(&pub, version, "pub", true, NULL) &&
	       nothing_else(&sub, &pub, qos) && client_leave(&pub) &&
	       client_leave(&sub);
}

static bool session(int version, int qos)
{
	struct client sub, pub, clean;
	bool told;
	int i;

	if (!client_open(&sub, version, "stays", false, NULL))
		return false;
	if (sub.present)
		return wrong("a session was there before");
	if (!client_subscribe(&sub, topic, qos) || !client_leave(&sub) ||
	    !client_open(&pub, version, "pub", true, NULL))
		return false;
	for (i = 0; i < MESSAGES; i++)
		if (!client_publish(&pub, text_of(i), qos, false))
			return false;
	if (!client_open(&sub, version, "stays", false, NULL))
		return false;
	/* 3.1 has no such flag, and the library does not tell 5.0's. */
	told = version == MQTTVERSION_3_1_1;
	if (sub.present != told)
		return wrong("session present: %d", sub.present);
	for (i = 0; i < MESSAGES; i++)
		if (!client_expect(&sub, text_of(i), qos, false))
			return false;
	if (!nothing_else(&sub, &pub, qos) || !client_leave(&sub) ||
	    !client_leave(&pub) ||
	    !client_open(&clean, version, "stays", true, NULL))
		return false;
	if (clean.present)
		return wrong("the session outlives a clean start");
	return client_leave(&clean);
}

/** struct test - one behaviour, shown with each version of the protocol */
static const struct test {
	const char *name;
	bool (*run)(int version, int qos);
	int qos;
} tests[] = {
	{ "QoS 0", delivery, 0 },
	{ "QoS 1", delivery, 1 },
	{ "QoS 2", delivery, 2 },
	{ "retained", retained, 1 },
	{ "will", will, 2 },
	{ "resumed session QoS 1", session, 1 },
	{ "resumed session QoS 2", session, 2 },
};

static const struct {
	const char *name;
	int version;
} versions[] = {
	{ "3.1", MQTTVERSION_3_1 },
	{ "3.1.1", MQTTVERSION_3_1_1 },
	{ "5.0", MQTTVERSION_5 },
};

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static bool wanted(const char *name)
{
	const char *pattern = setting("T", "");

	return strstr(name, pattern) || !fnmatch(pattern, name, 0);
}

int main(void)
{
	const size_t nr = sizeof(tests) / sizeof(tests[0]);
	const size_t all = nr * sizeof(versions) / sizeof(versions[0]);
	int number = 0, failed = 0;
	char name[64];
	size_t i;
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(uri, sizeof(uri), "tcp://%s:%s",
		 setting("KMQTT_HOST", "127.0.0.1"),
		 setting("KMQTT_PORT", "1883"));
	printf("KTAP version 1\n");
	for (i = 0; i < all; i++) {
		snprintf(name, sizeof(name), "%s %s", versions[i / nr].name,
			 tests[i % nr].name);
		if (!wanted(name))
			continue;
		/* What a failed test leaves behind is not in another's way. */
		snprintf(topic, sizeof(topic), "c%d/%zu", (int)getpid(), i);
		good = tests[i % nr].run(versions[i / nr].version,
					 tests[i % nr].qos);
		failed += !good;
		if (!good)
			printf("# %s\n", why);
		printf("%sok %d %s\n", good ? "" : "not ", ++number, name);
	}
	if (!number) {
		printf("1..0 # SKIP no such test\n");
		return 4;
	}
	printf("1..%d\n", number);
	return failed ? 1 : 0;
}
