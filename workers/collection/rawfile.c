/* SPDX-License-Identifier: MIT */
#include "workers/collection/rawfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum {
	NUMBERS = 100000,
	FILE_MODE = 0640,
	DIR_MODE = 0750,
	BASE64 = sodium_base64_VARIANT_ORIGINAL
};
static const off_t FILE_BYTES = 1 << 30;

static int io_error(struct err *e, const char *what, const char *path)
{
	return err_set(e, ERR_IO, "%s %s: %s", what, path, strerror(errno));
}

/* mkdir -p */
static int make_dirs(char *path, struct err *e)
{
	for (char *p = path + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, DIR_MODE) < 0 && errno != EEXIST)
			return io_error(e, "cannot make", path);
		*p = c;
		if (c == '\0')
			return 0;
	}
}

static char *day_dir(const char *data_dir, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	return mem_printf("%s/raw_collections/%04d/%02d/%02d", data_dir, tm.tm_year + 1900,
			  tm.tm_mon + 1, tm.tm_mday);
}

static char *base64(const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, BASE64);
	char *text = mem_alloc(size);

	return sodium_bin2base64(text, size, bytes, len, BASE64);
}

static char *to_text(const struct raw_taken *raw)
{
	const char *reason = raw_unfit(raw->body, raw->body_len, raw->complete, NULL, 0);
	cJSON *o = mem_check(cJSON_CreateObject());
	char at[CLOCK_ISO_SIZE], hash[65], *text, *coded;
	size_t packed_len;
	void *packed;

	clock_iso(raw->taken_us, at);
	raw_query_hash(raw->provider, raw->query, hash);
	raw_pack(raw->body, raw->body_len, &packed, &packed_len);
	coded = base64(packed, packed_len);
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
	json_set_bool(o, "in_database", false);
	json_set_str(o, "raw_body", coded);
	if (reason) {
		json_set(o, "raw_response", cJSON_CreateObject());
	} else {
		char *body = mem_dup(raw->body, raw->body_len);

		json_set_raw(o, "raw_response", body);
		free(body);
	}
	text = json_print(o);
	cJSON_Delete(o);
	free(coded);
	free(packed);
	return text;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		left -= (size_t)n;
	}
	return fsync(fd);
}

/* The first free number; renaming never replaces, so two writers cannot take the same. */
static int give_name(const char *temp, const char *dir, const char *provider, char **ret_path,
		     struct err *e)
{
	for (int i = 1; i < NUMBERS; i++) {
		char *path = mem_printf("%s/%s_%03d.json", dir, provider, i);

		if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
			*ret_path = path;
			return 0;
		}
		if (errno != EEXIST) {
			int r = io_error(e, "cannot name", path);

			free(path);
			return r;
		}
		free(path);
	}
	return err_set(e, ERR_IO, "%s holds %d files of this provider already", dir, NUMBERS - 1);
}

static int sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = io_error(e, "cannot sync", dir);
	if (fd >= 0)
		close(fd);
	return r;
}

int rawfile_write(const char *data_dir, const struct raw_taken *raw, char **ret_path, struct err *e)
{
	char *dir = day_dir(data_dir, raw->taken_us), *text = to_text(raw), *path = NULL;
	char *temp = mem_printf("%s/.%s.tmp", dir, raw->id);
	int fd, r = make_dirs(dir, e);

	if (r < 0)
		goto out;
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (fd < 0 || write_all(fd, text) < 0)
		r = io_error(e, "cannot write", temp);
	if (fd >= 0)
		close(fd);
	if (r == 0)
		r = give_name(temp, dir, raw->provider, &path, e);
	if (r < 0)
		unlink(temp);
	else
		r = sync_dir(dir, e);
	if (r == 0)
		*ret_path = path;
	else
		free(path);
out:
	free(temp);
	free(text);
	free(dir);
	return r;
}

size_t rawfile_list(const char *data_dir, size_t max, char ***ret_paths)
{
	char *pattern =
		mem_printf("%s/raw_collections/[0-9]*/[0-9]*/[0-9]*/*_[0-9]*.json", data_dir);
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

			if (n <= 0)
				break;
			len += (size_t)n;
		}
		text[len] = '\0';
	}
	if (fd >= 0)
		close(fd);
	if (r < 0)
		return r;
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

int rawfile_remove(const char *path, struct err *e)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return io_error(e, "cannot remove", path);
	return 0;
}
