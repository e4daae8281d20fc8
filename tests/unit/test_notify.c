/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/notify.h"

enum { WATCHDOG_MS = 400 };

static int fd;

/* What was said since the last call; "" = nothing. */
static const char *heard(void)
{
	static char text[1024];
	size_t n = 0;
	ssize_t got;

	while ((got = recv(fd, text + n, sizeof text - n - 2, MSG_DONTWAIT)) > 0) {
		n += (size_t)got;
		text[n++] = '|';
	}
	text[n] = '\0';
	return text;
}

static int listen_as_systemd(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[64], usec[32];

	(void)state;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(name, sizeof name, "@jobfleet-test-notify-%d", (int)getpid());
	memcpy(a.sun_path + 1, name + 1, strlen(name + 1));
	setenv("NOTIFY_SOCKET", name, 1);
	snprintf(usec, sizeof usec, "%d", WATCHDOG_MS * 1000);
	setenv("WATCHDOG_USEC", usec, 1);
	return bind(fd, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
}

static void a_status_is_told_when_it_changed(void **state)
{
	(void)state;
	notify_status("%d running", 1);
	notify_status("%d running", 1);
	assert_string_equal(heard(), "STATUS=1 running|");
	notify_status("%d running", 2);
	notify_status("%d running", 1);
	assert_string_equal(heard(), "STATUS=2 running|STATUS=1 running|");
}

static void a_sign_of_life_goes_at_a_quarter_of_the_watchdogs_time(void **state)
{
	int64_t start = clock_mono_ms(), first;
	const char *text = "";

	(void)state;
	notify_alive();
	notify_alive();
	assert_string_equal(heard(), "WATCHDOG=1|");
	do {
		poll(NULL, 0, 1);
		notify_alive();
		first = clock_mono_ms() - start;
		text = heard();
	} while (!*text && first < 10 * WATCHDOG_MS);
	assert_string_equal(text, "WATCHDOG=1|");
	assert_true(first >= WATCHDOG_MS / 4);
}

static void a_longer_stop_is_asked_for_once_a_second(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		notify_extend(15000);
	assert_string_equal(heard(), "EXTEND_TIMEOUT_USEC=15000000|");
}

static void the_states_are_named_as_systemd_knows_them(void **state)
{
	char *text;

	(void)state;
	notify_ready();
	notify_stopping();
	assert_string_equal(heard(), "READY=1|STOPPING=1|");
	notify_reloading();
	text = mem_strdup(heard());
	assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_is_told_when_it_changed),
		cmocka_unit_test(a_sign_of_life_goes_at_a_quarter_of_the_watchdogs_time),
		cmocka_unit_test(a_longer_stop_is_asked_for_once_a_second),
		cmocka_unit_test(the_states_are_named_as_systemd_knows_them),
	};

	return cmocka_run_group_tests(tests, listen_as_systemd, NULL);
}
