/* SPDX-License-Identifier: MIT */
#include "workers/alerting/mail.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "workers/alerting/notice.h"

enum { SEND_S = 30, CONNECT_S = 10, TEXT_MAX = 65536 };

struct stop {
	bool (*cancelled)(void *ctx);
	void *ctx;
};

static int look_up(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct stop *stop = ctx;

	(void)a, (void)b, (void)c, (void)d;
	return stop->cancelled && stop->cancelled(stop->ctx);
}

static bool is_loopback(const char *url)
{
	char *host = NULL;
	struct in_addr v4;
	CURLU *u = mem_check(curl_url());
	bool yes = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
		curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		(strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
		 (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127));

	curl_free(host);
	curl_url_cleanup(u);
	return yes;
}

static struct curl_slist *header(struct curl_slist *list, const char *name, const char *value)
{
	char *line = mem_printf("%s: %s", name, value);
	struct curl_slist *more = mem_check(curl_slist_append(list, line));

	free(line);
	return more;
}

static struct curl_slist *put_headers(const struct conf *conf, const char *box,
				      const struct notice *n, int64_t now_s)
{
	struct curl_slist *list = NULL;
	char *id = mem_printf("<%s@jobfleet>", n->id);
	char *thread = mem_printf("<alert-%lld@jobfleet>",
				  (long long)json_int(n->json, "alert_id", 0));
	time_t t = (time_t)now_s;
	struct buf title;
	char date[64];
	struct tm tm;

	buf_init(&title, 16384);
	buf_puts(&title, "jobfleet ");
	notice_title(n, &title);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &tm));
	list = header(list, "From", conf->fleet.smtp_from);
	list = header(list, "To", box);
	list = header(list, "Date", date);
	list = header(list, "Subject", buf_text(&title));
	list = header(list, "Message-ID", id);
	list = header(list, "References", thread);
	list = header(list, "Auto-Submitted", "auto-generated");
	list = header(list, "X-Jobfleet-Notification", n->id);
	buf_release(&title);
	free(thread);
	free(id);
	return list;
}

static curl_mime *put_text(CURL *curl, const struct notice *n)
{
	curl_mime *mime = mem_check(curl_mime_init(curl));
	curl_mimepart *part = mem_check(curl_mime_addpart(mime));
	struct buf text;

	buf_init(&text, TEXT_MAX);
	notice_text(n, &text);
	curl_mime_data(part, buf_text(&text), text.len);
	curl_mime_type(part, "text/plain; charset=utf-8");
	curl_mime_encoder(part, "quoted-printable");
	buf_release(&text);
	return mime;
}

static int judge(CURL *curl, CURLcode code, struct err *e)
{
	long answer = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(e, ERR_CANCELLED, "the mail was cut off: the task was cancelled");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, ERR_TIMEOUT, "the mail server did not answer in time");
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return err_set(e, ERR_NET, "the mail server's certificate is of no CA that is "
			       "trusted here, of another name, or expired");
	if (code == CURLE_LOGIN_DENIED)
		return err_set(e, ERR_REFUSED, "the mail server refuses the login");
	if (answer >= 500 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
			      code == CURLE_WEIRD_SERVER_REPLY))
		return err_set(e, ERR_REFUSED, "the mail server answered %ld", answer);
	return err_set(e, ERR_NET, "mail: %s%s%.0ld", curl_easy_strerror(code),
		       answer ? ", answered " : "", answer);
}

static void set_server(CURL *curl, const struct conf *conf)
{
	const char *url = conf->fleet.smtp_url;
	const char *password = conf_secret("JOBFLEET_SMTP_PASSWORD");
	const char *ca = getenv("SSL_CERT_FILE");	/* as for the other services */

	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (ca && *ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
			 (long)(is_loopback(url) ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	if (strchr(url, '@') && password)
		curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_S);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

int mail_send(const struct conf *conf, const char *box, const struct notice *n, int64_t now_s,
	      bool (*cancelled)(void *ctx), void *ctx, struct err *e)
{
	struct stop stop = { cancelled, ctx };
	struct curl_slist *to, *headers;
	curl_mime *mime;
	CURL *curl;
	int r;

	if (!*conf->fleet.smtp_url)
		return err_set(e, ERR_CONFIG, "mail needs smtp_url in queues.conf");
	curl = mem_check(curl_easy_init());
	to = mem_check(curl_slist_append(NULL, box));
	headers = put_headers(conf, box, n, now_s);
	mime = put_text(curl, n);
	set_server(curl, conf);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, conf->fleet.smtp_from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stop);
	r = judge(curl, curl_easy_perform(curl), e);
	curl_mime_free(mime);
	curl_slist_free_all(headers);
	curl_slist_free_all(to);
	curl_easy_cleanup(curl);
	return r;
}
