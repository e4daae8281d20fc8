/* SPDX-License-Identifier: MIT */
/* Signatures made plain before they are applied: options handed to where they belong, nested chains
 * and groups spliced, ids given. All of it once more changes nothing. */
#include "common/base/mem.h"
#include "common/worker/apply_private.h"

const char *apply_ensure_id(struct apply *a, struct signature *s)
{
	char id[UUID_SIZE];

	if (!signature_has(s, "task_id")) {
		apply_new_id(a, id);
		signature_set_string(&a->arena, s, "task_id", id);
	}
	return signature_string(&a->arena, s, "task_id");
}

/* ---- options ---- */

static bool lists(struct raw names, struct raw key)
{
	struct raw_walk w = raw_walk(names);
	struct raw item;

	while (raw_next(&w, NULL, &item))
		if (item.len == key.len && memcmp(item.at, key.at, key.len) == 0)
			return true;
	return false;
}

/* What was set first keeps these: the place in a group, and the stamps. */
static bool is_fixed(const struct signature *s, struct raw key)
{
	return raw_key_is(key, "group_id") || raw_key_is(key, "stamped_headers") ||
	       lists(signature_option(s, "stamped_headers"), key);
}

void apply_merge(struct apply *a, struct signature *s, const struct signature_options *over)
{
	for (size_t i = 0; over && i < over->n; i++) {
		const struct signature_option *o = &over->list[i];
		char *name = mem_strndup(o->key.at + 1, o->key.len - 2);

		if (o->value.at && !(is_fixed(s, o->key) && signature_has(s, name)))
			signature_set(&a->arena, s, name, o->value);
		free(name);
	}
}

static void hand_over(struct apply *a, struct signature *from, struct signature *to,
		      const char *name)
{
	if (signature_has(from, name) && !signature_has(to, name))
		signature_set(&a->arena, to, name, signature_option(from, name));
	signature_set(&a->arena, from, name, RAW_NONE);
}

void apply_take_out(struct apply *a, struct signature_options *o, const char *const *names,
		    size_t n)
{
	for (size_t i = 0; i < n; i++)
		options_set(&a->arena, o, names[i], RAW_NONE);
}

/* ---- shapes made plain, once ---- */

static void splice(struct apply *a, struct signature *chain, struct signature *into)
{
	for (size_t i = 0; i < chain->nsteps; i++) {
		struct signature *step = chain->steps[i];

		step = signature_copy(&a->arena, step);
		signature_extend(&a->arena, step, "link_error",
				 signature_option(chain, "link_error"));
		if (i + 1 == chain->nsteps) {
			signature_extend(&a->arena, step, "link", signature_option(chain, "link"));
			hand_over(a, chain, step, "task_id");
			hand_over(a, chain, step, "group_id");
			hand_over(a, chain, step, "group_index");
			hand_over(a, chain, step, "chord");
		}
		if (step->kind == SIGNATURE_CHAIN)
			splice(a, step, into);
		else
			signature_add_step(&a->arena, into, step);
	}
}

/* Nested chains spliced; a group that a step follows becomes a chord with that step as its body. */
static void flatten_chain(struct apply *a, struct signature *s)
{
	struct signature *flat = signature_new(&a->arena, SIGNATURE_CHAIN);
	size_t n = 0;

	splice(a, s, flat);
	for (size_t i = 0; i < flat->nsteps; i++, n++) {
		struct signature *step = flat->steps[i];

		if (step->kind == SIGNATURE_GROUP && i + 1 < flat->nsteps)
			step = signature_new_chord(&a->arena, step, flat->steps[++i]);
		flat->steps[n] = step;
	}
	flat->nsteps = n;
	signature_set(&a->arena, s, "link", RAW_NONE);
	signature_set(&a->arena, s, "link_error", RAW_NONE);
	s->steps = flat->steps;
	s->nsteps = flat->nsteps;
}

static void collect_members(struct apply *a, const struct signature *group, struct signature *into)
{
	for (size_t i = 0; i < group->nsteps; i++) {
		struct signature *m = group->steps[i];

		if (m->kind == SIGNATURE_GROUP) {
			collect_members(a, m, into);
			continue;
		}
		m = signature_copy(&a->arena, m);
		signature_extend(&a->arena, m, "link_error", signature_option(group, "link_error"));
		signature_add_step(&a->arena, into, m);
	}
}

void apply_flatten_group(struct apply *a, struct signature *s)
{
	struct signature *flat = signature_new(&a->arena, SIGNATURE_GROUP);

	collect_members(a, s, flat);
	signature_set(&a->arena, s, "link_error", RAW_NONE);
	s->steps = flat->steps;
	s->nsteps = flat->nsteps;
}

/* What a chord was told goes to its body: that is how the rest of a chain survives it. */
static void load_body(struct apply *a, struct signature *s)
{
	struct signature *body = signature_copy(&a->arena, s->body);
	struct signature_options rest = signature_copy(&a->arena, s)->options;
	static const char *const own[] = { "link", "link_error", "task_id" };

	signature_extend(&a->arena, body, "link", signature_option(s, "link"));
	signature_extend(&a->arena, body, "link_error", signature_option(s, "link_error"));
	if (!signature_has(body, "task_id"))
		signature_set(&a->arena, body, "task_id", signature_option(s, "task_id"));
	apply_take_out(a, &rest, own, COUNT(own));
	apply_merge(a, body, &rest);
	s->body = body;
	s->options = (struct signature_options){ 0 };
}

/* The members of a group at the end of a chord's member are parts of that chord themselves. */
static void freeze_group(struct apply *a, struct signature *s, int depth)
{
	bool inner = signature_has(s, "group_id");

	apply_flatten_group(a, s);
	if (inner && !signature_has(s, "task_id"))
		signature_set(&a->arena, s, "task_id", signature_option(s, "group_id"));
	for (size_t i = 0; i < s->nsteps; i++) {
		struct signature *m = s->steps[i];

		if (inner && !signature_has(m, "group_id"))
			signature_set(&a->arena, m, "group_id", signature_option(s, "group_id"));
		if (inner && !signature_has(m, "chord"))
			signature_set(&a->arena, m, "chord", signature_option(s, "chord"));
		if (!signature_has(m, "group_index"))
			signature_set_int(&a->arena, m, "group_index", (int64_t)i);
		apply_freeze_at(a, m, depth + 1);
	}
}

const char *apply_freeze_at(struct apply *a, struct signature *s, int depth)
{
	if (depth > APPLY_DEPTH)
		return "";
	switch (s->kind) {
	case SIGNATURE_CHAIN:
		flatten_chain(a, s);
		for (size_t i = 0; i + 1 < s->nsteps; i++)
			apply_freeze_at(a, s->steps[i], depth + 1);
		return s->nsteps ? apply_freeze_at(a, s->steps[s->nsteps - 1], depth + 1) : "";
	case SIGNATURE_GROUP:
		freeze_group(a, s, depth);
		return apply_ensure_id(a, s);
	case SIGNATURE_CHORD:
		load_body(a, s);
		s->header = signature_copy(&a->arena, s->header);
		apply_ensure_id(a, s->header);
		return apply_freeze_at(a, s->body, depth + 1);
	default:
		return apply_ensure_id(a, s);
	}
}

const char *apply_freeze(struct apply *a, struct signature *s)
{
	return apply_freeze_at(a, s, 0);
}
