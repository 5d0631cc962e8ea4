// SPDX-License-Identifier: GPL-2.0
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include "../unit/bytes.h"
#include "../unit/packets.h"
#include "run.h"

#define V5	"10 [ S'MQTT' 05"
#define V311	"10 [ S'MQTT' 04"
#define V31	"10 [ S'MQIsdp' 03"
#define ID	"S'c@@@@'"
#define TOPIC	"S't@@@@/a'"
#define OTHER	"S't@@@@/b'"
#define USER	"26 S'k' S'v'"
#define MESSAGE	"01 01 02 0000ffff 03 S'text' 08 S're' 09 0002 0001" USER
#define METHOD	"15 S'METHOD'"
#define BYE	"e0 [ ]"
#define TEN	"'0123456789'"
#define FIFTY	TEN TEN TEN TEN TEN

struct session sessions[] = {
	{ .name = "5.0, all that CONNECT can say", .steps = {
		{ V5 "f6 003c [11 00000000 21 0014 27 00001000 22 000a 19 01"
		  "17 01" USER USER "]" ID "[18 00000000" MESSAGE "]"
		  "S't@@@@/will' S'gone' S'user' S'pass' ]", "2" },
		{ "c0 [ ]", "d" },
		{ "e0 [ 04 [1f S'why' " USER "] ]", "" },
	} },
	{ .name = "5.0, subscriptions", .steps = {
		{ V5 "02 003c [] " ID " ]", "2" },
		{ "82 [ 0001 [0b 05 " USER "]" TOPIC "02 S't@@@@/+' 2d"
		  "S't@@@@/b/#' 18 ]", "9" },
		{ "82 [ 0002 [] S'$share/g@@@@/t@@@@/s' 01 ]", "9" },
		{ "a2 [ 0003 [" USER "] S't@@@@/+' S'$share/g@@@@/t@@@@/s'"
		  "S't@@@@/none' ]", "b" },
		{ "82 [ 0004 [] " TOPIC "01 ]", "9" },
		{ BYE, "" },
	} },
	{ .name = "5.0, QoS 0, aliases and properties", .loose = true, .steps = {
		{ V5 "02 0000 [22 0005] " ID " ]", "2" },
		{ "82 [ 0001 [0b ff7f] S't@@@@/#' 00 ]", "9" },
		{ "30 [ " TOPIC "[23 0003 " MESSAGE "] 'hello' ]", "3" },
		{ "30 [ S'' [23 0003] 'again' ] 30 [ S'' [23 0003] ]", "33" },
		{ "30 [ " OTHER "[23 0003] 'b' ]", "3" },
		{ "30 [ " OTHER "[] " FIFTY FIFTY FIFTY " ]", "3" },
		{ BYE, "" },
	} },
	{ .name = "5.0, QoS 1 both ways", .steps = {
		{ V5 "02 003c [21 0002] " ID " ]", "2" },
		{ "82 [ 0001 [] " TOPIC "01 ]", "9" },
		{ "32 [ " TOPIC "0007 [] 'one' ]", "34" },
		{ "40 [ 0001 00 [1f S'ok' " USER "] ]", "" },
		{ "32 [ " OTHER "0008 [] 'nobody' ]", "4" },
		{ "32 [ " TOPIC "0009 [] 'two' ] 32 [ " TOPIC "000a [] 'three' ]",
		  "4433" },
		{ "40 [ 0002 ] 40 [ 0003 80 ]", "" },
		{ "c0 [ ]", "d" },
		{ BYE, "" },
	} },
	{ .name = "5.0, QoS 2 both ways", .steps = {
		{ V5 "02 003c [] " ID " ]", "2" },
		{ "82 [ 0001 [] " TOPIC "02 ]", "9" },
		{ "34 [ " TOPIC "0007 [] 'one' ]", "53" },
		{ "62 [ 0007 ]", "7" },
		{ "50 [ 0001 00 [" USER "] ]", "6" },
		{ "70 [ 0001 00 [1f S'done'] ]", "" },
		{ "34 [ " TOPIC "0008 [] 'two' ] 3c [ " TOPIC "0008 [] 'two' ]",
		  "553" },
		{ "50 [ 0002 80 [] ]", "" },
		{ "62 [ 0008 00 [] ] 62 [ 0009 ]", "77" },
		{ "e0 [ 00 [] ]", "" },
	} },
	{ .name = "5.0, retained messages", .loose = true, .steps = {
		{ V5 "02 003c [] " ID " ]", "2" },
		{ "31 [ " TOPIC "[" MESSAGE "] 'kept' ]", "" },
		{ "33 [ " OTHER "0001 [] 'kept too' ]", "4" },
		{ "82 [ 0002 [0b 01] S't@@@@/+' 01 ]", "933" },
		{ "40 [ 0001 ]", "" },
		{ "82 [ 0003 [] S't@@@@/+' 10 ]", "9" },
		{ "82 [ 0004 [] " TOPIC "28 ]", "9" },
		{ "31 [ " TOPIC "[] ] 33 [ " OTHER "0005 [] ]", "343" },
		{ "c0 [ ]", "d" },
		{ BYE, "" },
	} },
	{ .name = "5.0, a session that is resumed", .steps = {
		{ V5 "02 003c [11 00000064] " ID " ]", "2" },
		{ "82 [ 0001 [] " TOPIC "02 " OTHER "01 ]", "9" },
		{ "34 [ " TOPIC "0001 [] 'a' ] 32 [ " OTHER "0002 [] 'b' ]",
		  "5433" },
		{ "! " V5 "00 003c [11 00000064] " ID " ]", "233" },
		{ "50 [ 0001 ] 40 [ 0002 ] 62 [ 0001 ]", "67" },
		{ "! " V5 "00 003c [11 ffffffff] " ID " ]", "26" },
		{ "70 [ 0001 ]", "" },
		{ "c0 [ ]", "d" },
		{ "e0 [ 00 [11 00000000] ]", "" },
	} },
	{ .name = "5.0, limits of the client's", .steps = {
		{ V5 "02 003c [21 0001 27 00000020] " ID " ]", "2" },
		{ "82 [ 0001 [] " TOPIC "02 " OTHER "00 ]", "9" },
		{ "30 [ " OTHER "[] " FIFTY " ]", "" },
		{ "34 [ " TOPIC "0001 [] '1' ] 34 [ " TOPIC "0002 [] '2' ]",
		  "553" },
		{ "50 [ 0001 ]", "6" },
		{ "70 [ 0001 ]", "3" },
		{ "50 [ 0002 80 ] 62 [ 0001 ] 62 [ 0002 ]", "77" },
		{ BYE, "" },
	} },
	{ .name = "5.0, shared subscription, no local", .steps = {
		{ V5 "02 003c [] S'' ]", "2" },
		{ "82 [ 0001 [] S'$share/g@@@@/t@@@@/+' 01 S't@@@@/#' 05 ]",
		  "9" },
		{ "32 [ " TOPIC "0001 [] 'x' ]", "43" },
		{ "40 [ 0001 ]", "" },
		{ "a2 [ 0002 [] S'$share/g@@@@/t@@@@/+' ]", "b" },
		{ "32 [ " TOPIC "0002 [] 'x' ]", "4" },
		{ "82 [ 0003 [] S't@@@@/#' 09 ]", "9" },
		{ "33 [ " TOPIC "0004 [] 'x' ]", "43" },
		{ "33 [ " TOPIC "0005 [] ]", "43" },
		{ BYE, "" },
	}, .loose = true },
	{ .name = "5.0, authentication in steps", .auth = true, .steps = {
		{ V5 "02 003c [" METHOD "16 0003 010203] " ID " ]", "f" },
		{ "f0 [ 18 [" METHOD "16 0002 0405 " USER "] ]", "2" },
		{ "c0 [ ]", "d" },
		{ "f0 [ 19 [" METHOD "] ]", "f" },
		{ "f0 [ 18 [" METHOD "16 0000] ]", "f" },
		{ "82 [ 0001 [] " TOPIC "00 ]", "9" },
		{ BYE, "" },
	} },
	{ .name = "5.0, a name and a password", .auth = true, .steps = {
		{ V5 "c2 003c [] " ID "S'user' S'pass' ]", "2" },
		{ "c0 [ ]", "d" },
		{ BYE, "" },
	} },
	{ .name = "3.1.1, all of it", .steps = {
		{ V311 "ee 003c " ID "S't@@@@/will' S'gone' S'user' S'pass' ]",
		  "2" },
		{ "82 [ 0001 " TOPIC "02 " OTHER "01 ]", "9" },
		{ "30 [ " TOPIC "'zero' ]", "3" },
		{ "32 [ " OTHER "0001 'one' ]", "43" },
		{ "40 [ 0001 ]", "" },
		{ "34 [ " TOPIC "0002 'two' ]", "53" },
		{ "62 [ 0002 ] 50 [ 0002 ]", "76" },
		{ "70 [ 0002 ]", "" },
		{ "a2 [ 0003 " TOPIC OTHER " ]", "b" },
		{ "31 [ " TOPIC "'kept' ] 31 [ " TOPIC " ]", "" },
		{ "c0 [ ]", "d" },
		{ BYE, "" },
	} },
	{ .name = "3.1.1, a session that is resumed", .steps = {
		{ V311 "02 003c " ID " ]", "2" },
		{ "! " V311 "00 003c " ID " ]", "2" },
		{ "82 [ 0001 " TOPIC "01 S't@@@@/#' 00 ]", "9" },
		{ "32 [ " TOPIC "0001 'one' ]", "43" },
		{ "! " V311 "00 003c " ID " ]", "23" },
		{ "40 [ 0001 ]", "" },
		{ "c0 [ ]", "d" },
		{ "! " V311 "02 003c " ID " ]", "2" },
		{ BYE, "" },
	} },
	{ .name = "3.1.1, a name and a password", .auth = true, .steps = {
		{ V311 "c2 003c " ID "S'user' S'pass' ]", "2" },
		{ "82 [ 0001 " TOPIC "00 ]", "9" },
		{ BYE, "" },
	} },
	{ .name = "3.1, all of it", .steps = {
		{ V31 "ce 003c " ID "S't@@@@/will' S'gone' S'user' S'pass' ]",
		  "2" },
		{ "82 [ 0001 " TOPIC "02 ]", "9" },
		{ "34 [ " TOPIC "0001 'two' ]", "53" },
		{ "6a [ 0001 ] 50 [ 0001 ]", "76" },
		{ "70 [ 0001 ]", "" },
		{ "32 [ " TOPIC "0002 'one' ]", "43" },
		{ "40 [ 0002 ]", "" },
		{ "a2 [ 0003 " TOPIC " ]", "b" },
		{ "c0 [ ]", "d" },
		{ BYE, "" },
	} },
};

const int nr_sessions = sizeof(sessions) / sizeof(sessions[0]);

struct packet *packets;
int nr_packets;

static void add_packet(struct mqtt_str block)
{
	packets = realloc(packets, (nr_packets + 1) * sizeof(*packets));
	if (!packets)
		run_die("memory");
	packets[nr_packets].data = (uint8_t *)block.data;
	packets[nr_packets++].len = block.len;
}

static void compile(struct session *s)
{
	struct session_step *step;
	struct mqtt_str block;

	for (step = s->steps; step->text; step++) {
		block = bytes(step->text + (*step->text == '!'));
		step->data = (uint8_t *)block.data;
		step->len = block.len;
		s->len += block.len;
		s->nr++;
		add_packet(block);
	}
}

void session_init(void)
{
	uint32_t i;
	int s;

	for (s = 0; s < nr_sessions; s++)
		compile(&sessions[s]);
	for (i = 0; i < nr_packet_cases; i++)
		add_packet(bytes(packet_cases[i].text));
}
