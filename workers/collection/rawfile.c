/* SPDX-License-Identifier: MIT */
#include "workers/collection/rawfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/copies.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { BASE64 = sodium_base64_VARIANT_ORIGINAL };
#define WAITING COPIES_RAW "/waiting"
static const off_t FILE_BYTES = 1 << 30;

static int io_error(struct err *e, const char *what, const char *path)
{
	return err_set(e, ERR_IO, "%s %s: %s", what, path, strerror(errno));
}

static char *base64(const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, BASE64);
	char *text = mem_alloc(size);

	return sodium_bin2base64(text, size, bytes, len, BASE64);
}

static void put_body(cJSON *o, const struct raw_taken *raw)
{
	size_t packed_len;
	void *packed;
	char *coded;

	raw_pack(raw->body, raw->body_len, &packed, &packed_len);
	coded = base64(packed, packed_len);
	free(packed);
	json_set_str(o, "raw_body", coded);
	free(coded);
}

/* All but raw_response, whose text follows as it is, without its closing brace. */
static char *head_of(const struct raw_taken *raw, const char *reason, bool waits)
{
	cJSON *o = mem_check(cJSON_CreateObject());
	char at[CLOCK_ISO_SIZE], hash[65], *text;

	clock_iso(raw->taken_us, at);
	raw_query_hash(raw->provider, raw->query, hash);
	json_set_str(o, "collection_id", raw->id);
	json_set_str(o, "timestamp", at);
	json_set_str(o, "api_provider", raw->provider);
	json_set(o, "query_params", cJSON_Duplicate(raw->query, true));
	json_set_str(o, "query_hash", hash);
	json_set_num(o, "http_status", raw->http_status);
	json_set_str(o, "content_type", raw->content_type);
	json_set(o, "metadata", cJSON_Duplicate(raw->metadata, true));
	json_set_str(o, "run_id", raw->run_id);
	json_set_bool(o, "is_demo", raw->demo);
	json_set_bool(o, "complete", raw->complete);
	json_set_str(o, "error_info", reason);
	json_set_bool(o, "in_database", !waits);
	if (waits || reason)
		put_body(o, raw);
	text = json_print(o);
	cJSON_Delete(o);
	text[strlen(text) - 1] = '\0';
	return text;
}

enum { PARTS = 4 };
#define RESPONSE ",\"raw_response\":"

/* parts[0] is to be freed. */
static void parts_of(const struct raw_taken *raw, bool waits, struct copies_part parts[PARTS])
{
	const char *reason = raw_unfit(raw->body, raw->body_len, raw->complete, NULL, 0);
	char *head = head_of(raw, reason, waits);

	parts[0] = (struct copies_part){ head, strlen(head) };
	parts[1] = (struct copies_part){ RESPONSE, sizeof RESPONSE - 1 };
	parts[2] = reason ? (struct copies_part){ "{}", 2 } :
			    (struct copies_part){ raw->body, raw->body_len };
	parts[3] = (struct copies_part){ "}\n", 2 };
}

int rawfile_write(const char *data_dir, const struct raw_taken *raw, char **ret_path, struct err *e)
{
	char *waiting = mem_printf("%s/" WAITING "/%020lld_%s.json", data_dir,
				   (long long)raw->taken_us, raw->id);
	struct copies_part parts[PARTS];
	int r;

	parts_of(raw, true, parts);
	r = copies_put(waiting, parts, PARTS, e);
	if (r == 0)
		r = copies_link(data_dir, COPIES_RAW, raw->provider, raw->taken_us, waiting,
				ret_path, e);
	free((void *)parts[0].data);
	free(waiting);
	return r;
}

int rawfile_copy(const char *data_dir, const struct raw_taken *raw, struct err *e)
{
	struct copies_part parts[PARTS];
	int r;

	parts_of(raw, false, parts);
	r = copies_write(data_dir, COPIES_RAW, raw->provider, raw->taken_us, parts, PARTS, false,
			 NULL, e);
	free((void *)parts[0].data);
	return r;
}

size_t rawfile_list(const char *data_dir, size_t max, char ***ret_paths)
{
	char *pattern = mem_printf("%s/" WAITING "/[0-9]*_*.json", data_dir);
	glob_t found = { 0 };
	size_t n = 0;

	*ret_paths = NULL;
	if (glob(pattern, 0, NULL, &found) == 0) {
		*ret_paths = mem_alloc(max * sizeof **ret_paths);
		for (; n < found.gl_pathc && n < max; n++)
			(*ret_paths)[n] = mem_strdup(found.gl_pathv[n]);
	}
	globfree(&found);
	free(pattern);
	return n;
}

static int read_whole(const char *path, char **ret, size_t *ret_len, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	struct stat st;
	char *text = NULL;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = io_error(e, "cannot open", path);
	} else if (!S_ISREG(st.st_mode) || st.st_size >= FILE_BYTES) {
		r = err_set(e, ERR_TOO_BIG, "%s is no file under 1 GiB", path);
	} else {
		text = mem_alloc((size_t)st.st_size + 1);
		while (len < (size_t)st.st_size) {
			ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)	/* not to be taken for a file that is none of ours */
				r = io_error(e, "cannot read", path);
			if (n <= 0)
				break;
			len += (size_t)n;
		}
		text[len] = '\0';
	}
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}

static int decode_body(const char *coded, size_t max, char **ret, size_t *ret_len, struct err *e)
{
	size_t size = strlen(coded), len = 0;
	unsigned char *packed = mem_alloc(size);
	int r;

	if (sodium_base642bin(packed, size, coded, size, NULL, &len, NULL, BASE64) < 0)
		r = err_set(e, ERR_PROTOCOL, "raw_body is not base64");
	else
		r = raw_unpack(packed, len, max, ret, ret_len, e);
	free(packed);
	return r;
}

static int fill(struct rawfile *f, size_t max_body, struct err *e)
{
	struct raw_taken *raw = &f->raw;
	int r;

	if (!uuid_is_valid(json_str(f->json, "collection_id", "")) ||
	    !json_get(f->json, "query_params") || !json_get(f->json, "metadata") ||
	    json_bool(f->json, "in_database", true))
		return err_set(e, ERR_PROTOCOL, "no raw answer that waits for the database");
	if ((r = clock_parse_iso(json_str(f->json, "timestamp", ""), &raw->taken_us, e)) < 0)
		return r;
	snprintf(raw->id, sizeof raw->id, "%s", json_str(f->json, "collection_id", ""));
	raw->provider = json_str(f->json, "api_provider", "unknown");
	raw->run_id = json_str(f->json, "run_id", NULL);
	raw->query = json_get(f->json, "query_params");
	raw->metadata = json_get(f->json, "metadata");
	raw->content_type = json_str(f->json, "content_type", "");
	raw->http_status = (int)json_int(f->json, "http_status", 0);
	raw->complete = json_bool(f->json, "complete", true);
	raw->demo = json_bool(f->json, "is_demo", false);
	r = decode_body(json_str(f->json, "raw_body", ""), max_body, &f->body, &raw->body_len, e);
	raw->body = f->body;
	return r;
}

int rawfile_read(const char *path, size_t max_body, struct rawfile *ret, struct err *e)
{
	struct rawfile f = { 0 };
	char *text = NULL;
	size_t len = 0;
	int r = read_whole(path, &text, &len, e);

	if (r == 0)
		r = json_parse(text, len, &f.json, e);
	free(text);
	if (r == 0)
		r = fill(&f, max_body, e);
	if (r < 0) {
		rawfile_release(&f);
		return err_prefix(e, "%s", path);
	}
	*ret = f;
	return 0;
}

void rawfile_release(struct rawfile *f)
{
	cJSON_Delete(f->json);
	free(f->body);
	*f = (struct rawfile){ 0 };
}

/* The name by day of a file that waits: the link to the same bytes. */
static void remove_day_name(const char *waiting, const struct stat *st)
{
	const char *name = strrchr(waiting, '/') + 1;
	char *data_dir = mem_strdup(waiting), *cut = strstr(data_dir, "/" WAITING), *day, *pattern;
	glob_t found = { 0 };
	struct stat other;

	if (cut)
		*cut = '\0';
	day = copies_day(data_dir, COPIES_RAW, strtoll(name, NULL, 10));
	pattern = mem_printf("%s/*_[0-9]*.json", day);
	if (cut && glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (stat(found.gl_pathv[i], &other) == 0 && other.st_ino == st->st_ino &&
			    other.st_dev == st->st_dev)
				unlink(found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
	free(day);
	free(data_dir);
}

int rawfile_remove(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_nlink > 1)
		remove_day_name(path, &st);
	if (unlink(path) < 0 && errno != ENOENT)
		return io_error(e, "cannot remove", path);
	return 0;
}
