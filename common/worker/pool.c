/* SPDX-License-Identifier: MIT */
#include "common/worker/pool_private.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/board.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/worker/delivery.h"

enum {
	AHEAD_BYTES = 32 << 20,		/* that a child has not read yet */
	RESPAWN_MS = 500,		/* after a child that died young */
	YOUNG_MS = 1000,
};

struct slot *pool_slot(struct pool_child *c, int i)
{
	return &c->pool->conf.slots[c->row].slot[i];
}

void pool_signal(struct pool_child *c, int sig)
{
	if (c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0);
	else if (c->state == CHILD_ALIVE && !c->exited)
		kill(c->pid, sig);
}

struct delivery *pool_release_slot(struct pool_child *c, int i)
{
	struct handed *h = &c->handed[i];
	struct delivery *d = h->d;

	slot_set(pool_slot(c, i), h->serial, SLOT_FREE);
	c->nlong -= !h->is_short;
	c->nhanded--;
	c->pool->busy--;
	*h = (struct handed){ 0 };
	return d;
}

void pool_ask_fork(struct pool_child *c)
{
	c->state = CHILD_FORKING;
	c->fork_at_ms = 0;
	if (c->row >= c->pool->used)
		c->pool->used = c->row + 1;
	c->pool->conf.fork(c->pool->conf.ctx, c->row);
}

static void describe_death(const struct pool_child *c, char *out, size_t size)
{
	if (WIFSIGNALED(c->status))
		snprintf(out, size, "Worker exited prematurely: signal %d (SIG%s)",
			 WTERMSIG(c->status), sigabbrev_np(WTERMSIG(c->status)) ?
			 sigabbrev_np(WTERMSIG(c->status)) : "?");
	else
		snprintf(out, size, "Worker exited prematurely: exitcode %d",
			 WEXITSTATUS(c->status));
}

void pool_announce(struct pool_child *c, struct handed *h)
{
	if (h->announced)
		return;
	h->announced = true;
	c->pool->conf.on_started(c->pool->conf.ctx, h->d, c->pid);
}

/* Its work comes back: what ran is lost, what it finished without a word is asked of the ledger. */
static void hand_back_all(struct pool_child *c)
{
	char cause[96];

	describe_death(c, cause, sizeof cause);
	for (int i = 0; i < SLOT_COUNT; i++) {
		enum slot_state s = slot_state(pool_slot(c, i));
		struct pool_loss loss = { c->killed_hard, c->handed[i].terminated, cause };
		struct delivery *d;

		if (!c->handed[i].d)
			continue;
		if (s == SLOT_RUNNING)
			pool_announce(c, &c->handed[i]);
		d = pool_release_slot(c, i);
		if (s == SLOT_RUNNING) {
			c->pool->conf.on_lost(c->pool->conf.ctx, d, &loss);
		} else {
			d->ask_ledger = d->ask_ledger || s == SLOT_DONE;
			c->pool->conf.on_untouched(c->pool->conf.ctx, d);
		}
	}
}

/* Why another takes its place; NULL: none does, or nobody need know. */
static const char *restart_cause(const struct pool_child *c)
{
	int most = c->pool->conf.max_tasks_per_child;

	if (c->pool->stopping || c->row >= c->pool->wanted)
		return NULL;
	if (c->quitting)
		return c->swollen		       ? "max_memory"
			: most > 0 && c->ndone >= most ? "max_tasks"
						       : NULL;
	if (c->killed_hard)
		return "time_limit";
	for (int i = 0; i < SLOT_COUNT; i++)
		if (c->handed[i].d && c->handed[i].terminated)
			return "terminated";
	if (!WIFSIGNALED(c->status))
		return "exited";
	return WTERMSIG(c->status) == SIGKILL ? "killed" : "crashed";
}

static void bury(struct pool_child *c)
{
	struct pool *p = c->pool;
	const char *cause = restart_cause(c);
	int64_t now = clock_mono_ms();
	bool young = now - c->born_ms < YOUNG_MS && !c->quitting;

	if (!c->quitting && !p->stopping)
		log_warn("child died pid=%d status=%d", (int)c->pid, c->status);
	if (cause)
		board_add(1, "restarts", p->conf.program, cause, NULL);
	hand_back_all(c);
	if (c->pidfd >= 0)
		close(c->pidfd);
	*c = (struct pool_child){ .pool = p, .row = c->row, .pidfd = -1 };
	c->port.fd = -1;
	if (p->stopping || c->row >= p->wanted)
		return;
	if (young)
		c->fork_at_ms = now + RESPAWN_MS;
	else
		pool_ask_fork(c);
}

static void bury_if_gone(struct pool_child *c)
{
	if (c->eof && c->pool->orphaned && !c->exited)
		c->status = SIGKILL;	/* they die with the zygote, which tells no more */
	if (c->eof && (c->exited || c->pool->orphaned))
		bury(c);
}

static void take_done(struct pool_child *c, struct frame *f)
{
	uint32_t slot = frame_get_u32(f), serial = frame_get_u32(f);
	struct pool_done done = { .verdict = (enum child_verdict)frame_get_u32(f) };
	struct delivery *d;

	done.outcome = (enum ledger_outcome)frame_get_u32(f);
	done.delay_ms = frame_get_i64(f);
	done.run_us = frame_get_i64(f);
	done.reason = frame_get_str(f);
	done.event_text = frame_get_str(f);
	done.event_trace = frame_get_str(f);
	done.rss_kib = frame_get_i64(f);
	if (slot >= SLOT_COUNT || !c->handed[slot].d || c->handed[slot].serial != serial)
		return;
	pool_announce(c, &c->handed[slot]);
	d = pool_release_slot(c, (int)slot);
	c->ndone++;
	if (c->pool->conf.max_child_kib > 0 && done.rss_kib > c->pool->conf.max_child_kib)
		c->swollen = true;
	c->pool->conf.on_done(c->pool->conf.ctx, d, &done);
}

static void quit_child(struct pool_child *c)
{
	c->quitting = true;
	frame_begin(&c->port, FRAME_QUIT);
	frame_end(&c->port);
	c->dirty = true;
}

static bool is_worn(const struct pool_child *c)
{
	int most = c->pool->conf.max_tasks_per_child;

	return c->pool->stopping || c->row >= c->pool->wanted || c->swollen ||
	       (most > 0 && c->ndone >= most);
}

static void readable(void *ctx)
{
	struct pool_child *c = ctx;
	struct frame f;
	int r;

	if (c->state != CHILD_ALIVE || c->eof)
		return;
	do {
		r = frame_fill(&c->port, false);
		while (frame_next(&c->port, &f))
			if (f.kind == FRAME_DONE)
				take_done(c, &f);
	} while (r > 0);
	c->dirty = c->dirty || frame_has_unsent(&c->port);
	if (r == 0) {
		if (!c->quitting && c->nhanded == 0 && is_worn(c))
			quit_child(c);
		return;
	}
	watch_stop(&c->watch);
	frame_port_release(&c->port);
	c->eof = true;
	bury_if_gone(c);
}

struct pool *pool_new(const struct pool_conf *conf)
{
	struct pool *p = mem_zalloc(sizeof *p);

	p->conf = *conf;
	for (int i = 0; i < SLOT_MAX_CHILDREN; i++) {
		p->child[i] = (struct pool_child){ .pool = p, .row = i, .pidfd = -1 };
		p->child[i].port.fd = -1;
	}
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->used; i++) {
		struct pool_child *c = &p->child[i];

		watch_stop(&c->watch);
		if (c->state == CHILD_ALIVE)
			frame_port_release(&c->port);
		if (c->pidfd >= 0)
			close(c->pidfd);
		for (int s = 0; s < SLOT_COUNT; s++)
			delivery_free(c->handed[s].d);
	}
	free(p->conf_path);
	free(p);
}

void pool_resize(struct pool *p, int children)
{
	p->wanted = children < SLOT_MAX_CHILDREN ? children : SLOT_MAX_CHILDREN;
	for (int i = 0; i < p->wanted; i++)
		if (p->child[i].state == CHILD_NONE)
			pool_ask_fork(&p->child[i]);
	for (int i = p->wanted; i < p->used; i++)
		if (p->child[i].state == CHILD_ALIVE && !p->child[i].nhanded &&
		    !p->child[i].quitting && !p->child[i].eof)
			quit_child(&p->child[i]);
}

static void put_conf(struct pool_child *c)
{
	frame_begin(&c->port, FRAME_CONF);
	frame_put_str(&c->port, c->pool->conf_path);
	frame_end(&c->port);
	c->dirty = true;
}

void pool_forked(struct pool *p, int row, pid_t pid, int fd, int pidfd)
{
	struct pool_child *c = &p->child[row];

	c->state = CHILD_ALIVE;
	c->pid = pid;
	c->pidfd = pidfd;
	c->born_ms = clock_mono_ms();
	frame_port_init(&c->port, fd);
	watch_init(&c->watch, p->conf.loop, readable, c);
	if (fd < 0) {
		log_error("no descriptor left for a new child");
		c->eof = true;		/* it ends by itself, which pool_exited tells */
		return;
	}
	watch_set(&c->watch, fd, POLLIN);
	if (p->conf_path)
		put_conf(c);
	if (p->stopping || row >= p->wanted)	/* wanted when it was asked for */
		quit_child(c);
}

void pool_not_forked(struct pool *p, int row)
{
	struct pool_child *c = &p->child[row];

	c->state = CHILD_NONE;
	if (!p->stopping && row < p->wanted)
		c->fork_at_ms = clock_mono_ms() + RESPAWN_MS;
}

void pool_exited(struct pool *p, int row, int status)
{
	struct pool_child *c = &p->child[row];

	c->exited = true;
	c->status = status;
	readable(c);		/* what it said before it died, then the end of file */
	bury_if_gone(c);
}

void pool_tell_conf(struct pool *p, const char *path)
{
	mem_replace(&p->conf_path, mem_strdup(path));
	for (int i = 0; i < p->used; i++)
		if (p->child[i].state == CHILD_ALIVE && !p->child[i].eof)
			put_conf(&p->child[i]);
}

int pool_room(const struct pool *p, bool is_short)
{
	int best = -1, least = SLOT_COUNT;

	for (int i = 0; i < p->wanted; i++) {
		const struct pool_child *c = &p->child[i];

		if (c->state != CHILD_ALIVE || c->eof || c->quitting || is_worn(c))
			continue;
		if (c->nhanded == 0)
			return i;
		if (is_short && c->nlong == 0 && c->nhanded < least &&
		    c->port.out.len < AHEAD_BYTES) {
			best = i;
			least = c->nhanded;
		}
	}
	return best;
}

void pool_hand(struct pool *p, int child, struct delivery *d, const struct pool_hand *how)
{
	struct pool_child *c = &p->child[child];
	int i = 0;

	while (c->handed[i].d)
		i++;
	c->handed[i] = (struct handed){ .d = d, .serial = ++p->serial, .is_short = how->is_short,
					.soft_us = how->soft_ms * 1000,
					.hard_us = how->hard_ms * 1000 };
	c->nhanded++;
	c->nlong += !how->is_short;
	p->busy++;
	slot_set(pool_slot(c, i), p->serial, SLOT_READY);
	frame_begin(&c->port, FRAME_TASK);
	frame_put_u32(&c->port, (uint32_t)i);
	frame_put_u32(&c->port, p->serial);
	frame_put_u32(&c->port, how->flags);
	frame_put_i64(&c->port, how->soft_ms);
	frame_put_i64(&c->port, how->hard_ms);
	frame_put_str(&c->port, how->queue);
	frame_put_bytes(&c->port, d->props, d->props_len);
	frame_put_bytes(&c->port, d->body, d->body_len);
	frame_end(&c->port);
	c->dirty = true;
}

bool pool_runs(const struct pool *p, const char *task_id)
{
	for (int i = 0; i < p->used && p->busy > 0; i++)
		for (int s = 0; s < SLOT_COUNT && p->child[i].nhanded > 0; s++)
			if (p->child[i].handed[s].d &&
			    strcmp(p->child[i].handed[s].d->id, task_id) == 0)
				return true;
	return false;
}

void pool_flush(struct pool *p)
{
	for (int i = 0; i < p->used; i++) {
		struct pool_child *c = &p->child[i];

		if (!c->dirty || c->state != CHILD_ALIVE || c->eof)
			continue;
		if (frame_flush(&c->port, false) < 0)
			continue;	/* its end of file follows */
		c->dirty = false;
		watch_set(&c->watch, c->port.fd,
			  (short)(POLLIN | (frame_has_unsent(&c->port) ? POLLOUT : 0)));
	}
}

size_t pool_busy(const struct pool *p)
{
	return p->busy;
}

int pool_children(const struct pool *p)
{
	int n = 0;

	for (int i = 0; i < p->used; i++)
		n += p->child[i].state == CHILD_ALIVE;
	return n;
}

int pool_ready(const struct pool *p)
{
	return pool_children(p) >= p->wanted;
}

pid_t pool_pid(const struct pool *p, int i)
{
	return p->child[i].state == CHILD_ALIVE ? p->child[i].pid : 0;
}

void pool_orphan(struct pool *p)
{
	p->stopping = p->orphaned = true;
	for (int i = 0; i < p->used; i++)
		bury_if_gone(&p->child[i]);
}

void pool_kill(struct pool *p)
{
	p->stopping = true;
	for (int i = 0; i < p->used; i++)
		if (p->child[i].state == CHILD_ALIVE)
			pool_signal(&p->child[i], SIGKILL);
}
